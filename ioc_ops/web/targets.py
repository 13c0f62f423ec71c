"""What Prometheus asks for the IOCs of a site, over HTTP: ``http_sd`` for a directory."""

import asyncio
import logging
import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ioc_ops.metrics import read_targets

__all__ = ["build_targets_app"]

_log = logging.getLogger(__name__)


def build_targets_app(directory: str | os.PathLike[str]) -> Starlette:
    """The application that serves all targets in the files of ``directory`` at ``/``.

    A file that cannot be used is skipped, with a line of log when that begins. While the directory
    itself cannot be read the answer is 503: then Prometheus keeps the targets it has, where an
    empty list would make it forget them.
    """
    reported: dict[str, str] = {}

    async def targets(_request: Request) -> Response:
        try:
            # In a thread, for the disk may take its time.
            groups, refused = await asyncio.to_thread(read_targets, directory)
        except OSError as problem:
            text = f"cannot read {directory}: {problem.strerror}"
            _log.error("%s", text)
            return PlainTextResponse(text + "\n", status_code=503)
        for name, why in refused.items():
            if reported.get(name) != why:
                _log.warning("%s in %s is skipped: %s", name, directory, why)
        reported.clear()
        reported.update(refused)
        return JSONResponse(groups, headers={"Cache-Control": "no-store"})

    return Starlette(routes=[Route("/", targets), Route("/targets", targets)])
