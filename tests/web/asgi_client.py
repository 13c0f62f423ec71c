"""Asks an application as an ASGI server would, without a socket."""

import asyncio
import json
from typing import Any

from starlette.applications import Starlette


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
