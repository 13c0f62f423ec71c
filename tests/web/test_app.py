"""The answers of the application, without a socket: it is called as an ASGI server calls it."""

from types import SimpleNamespace

import pytest
from asgi_client import ask
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from ioc_ops.web import build_app


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
    context.state = "restoring"
    assert ask(app, "/healthz").status == 200
    answer = ask(app, "/readyz")
    assert answer.status == 503
    assert answer.json == {
        "ready": False,
        "message": "the IOC is restoring",
        "ioc": "sim<1>",
        "state": "restoring",
        "restored": False,
        "hooks_started": False,
        "autosave_current": True,
    }


def test_readyz_of_an_ioc_that_is_ready(app: Starlette) -> None:
    answer = ask(app, "/readyz")
    assert answer.status == 200
    assert answer.json == {
        "ready": True,
        "message": "ok",
        "ioc": "sim<1>",
        "state": "ready",
        "restored": True,
        "hooks_started": True,
        "autosave_current": True,
    }


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
