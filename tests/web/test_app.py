"""The answers of the application, without a socket: it is called as an ASGI server calls it."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from ioc_ops.web import build_app


class Answer:
    """What the application sent."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.status = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.text = b"".join(message.get("body", b"") for message in messages[1:]).decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def ask(app: Starlette, path: str, method: str = "GET", accept: str = "*/*") -> Answer:
    """One request."""
    messages: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"host", b"test"), (b"accept", accept.encode())],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    asyncio.run(app(scope, receive, send))
    return Answer(messages)


@pytest.fixture
def app(context: SimpleNamespace) -> Starlette:
    return build_app(context, stuck_after=5.0, monotonic=lambda: 101.0)


def test_metrics_in_the_text_format(app: Starlette) -> None:
    answer = ask(app, "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert families["epics_ioc_pvs"].samples[0].value == 3
    assert families["epics_ioc_pvs"].samples[0].labels == {"ioc": "sim<1>"}


def test_metrics_in_the_format_that_prometheus_asks_for(app: Starlette) -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    answer = ask(app, "/metrics", accept=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name for family in openmetrics_families(answer.text)}
    assert {"epics_ioc_pvs", "epics_ioc_ca_reads", "process_cpu_seconds"} <= families


def test_healthz_of_a_loop_that_runs(app: Starlette) -> None:
    answer = ask(app, "/healthz")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "status": "ok",
        "message": "ok",
        "ioc": "sim<1>",
        "state": "ready",
        "loop_silent_seconds": 1.0,
    }


def test_healthz_of_a_loop_that_is_stuck(context: SimpleNamespace) -> None:
    answer = ask(build_app(context, monotonic=lambda: 112.0), "/healthz")
    assert answer.status == 503
    assert answer.json["status"] == "stuck"
    assert answer.json["message"] == "the IOC's loop has been stuck for 12 s"
    assert answer.json["loop_silent_seconds"] == 12.0


def test_before_the_first_sign_of_life_the_time_since_the_start_counts(
    context: SimpleNamespace,
) -> None:
    context.heartbeat = 0.0
    now = [1000.0]
    app = build_app(context, stuck_after=5.0, monotonic=lambda: now[0])
    assert ask(app, "/healthz").json["loop_silent_seconds"] == 0.0
    now[0] = 1006.0
    assert ask(app, "/healthz").json["message"] == "the IOC's loop has been stuck for 6 s"


def test_an_ioc_that_starts_is_healthy_but_not_ready(
    app: Starlette, context: SimpleNamespace
) -> None:
    context.state = "starting"
    assert ask(app, "/healthz").status == 200
    answer = ask(app, "/readyz")
    assert answer.status == 503
    assert answer.json == {"ready": False, "ioc": "sim<1>", "state": "starting"}


def test_readyz_of_an_ioc_that_is_ready(app: Starlette) -> None:
    answer = ask(app, "/readyz")
    assert answer.status == 200
    assert answer.json["ready"] is True


def test_the_page_links_to_everything_and_takes_names_as_text(app: Starlette) -> None:
    answer = ask(app, "/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "sim&lt;1&gt;" in answer.text
    assert "sim<1>" not in answer.text
    for path in ("/metrics", "/healthz", "/readyz"):
        assert f'href="{path}"' in answer.text
        assert ask(app, path).status == 200


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/readyz"])
def test_nothing_may_be_kept_by_a_cache_and_nothing_can_be_changed(
    app: Starlette, path: str
) -> None:
    assert ask(app, path).headers["cache-control"] == "no-store"
    assert ask(app, path, method="POST").status == 405


def test_other_paths_do_not_exist(app: Starlette) -> None:
    assert ask(app, "/etc/passwd").status == 404
