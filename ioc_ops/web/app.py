"""The ASGI application: /metrics, /healthz, /readyz and a page at /.

It only reads what the server left behind in its counters, so it answers while the IOC's own loop
is stuck. Sites that run an ASGI server already can mount it there.
"""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from ioc_ops.metrics import AutosaveSets, build_registry, expose
from ioc_ops.server import Context
from ioc_ops.status import read_server
from ioc_ops.web.health import STUCK_AFTER, Health, assess, assess_readiness
from ioc_ops.web.page import render

__all__ = ["build_app"]

_FRESH = {"Cache-Control": "no-store"}


def build_app(
    context: Context,
    registry: CollectorRegistry | None = None,
    *,
    stuck_after: float = STUCK_AFTER,
    monotonic: Callable[[], float] = time.monotonic,
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """The application for ``context``.

    Args:
        context: the running IOC; read from the thread that serves HTTP.
        registry: what /metrics shows; ``build_registry(context)`` if not given.
        stuck_after: seconds without a sign of life after which /healthz answers 503.
        monotonic: the clock of ``context.heartbeat``.
        clock: Unix time.
    """
    served = build_registry(context) if registry is None else registry

    sets = AutosaveSets(context)
    # Until the loop gives its first sign of life, that it came here counts as one.
    began = monotonic()

    def health() -> Health:
        return assess(monotonic(), context.heartbeat or began, stuck_after)

    # The handlers are coroutines although they never wait: Starlette would run plain functions in
    # a pool of threads, which this one thread has no need of.
    async def metrics(request: Request) -> Response:
        text, content_type = expose(served, request.headers.get("accept", ""))
        return Response(text, headers={**_FRESH, "Content-Type": content_type})

    async def healthz(_request: Request) -> Response:
        now = health()
        body = {
            "status": "ok" if now.alive else "stuck",
            "message": now.summary,
            "ioc": context.name,
            "state": context.state,
            "loop_silent_seconds": round(now.silent, 3),
        }
        return JSONResponse(body, status_code=200 if now.alive else 503, headers=_FRESH)

    async def readyz(_request: Request) -> Response:
        state = context.state
        now = assess_readiness(state, clock(), sets.stats())
        body = {
            "ready": now.ready,
            "message": "; ".join(now.reasons) or "ok",
            "ioc": context.name,
            "state": state,
            "restored": now.restored,
            "hooks_started": now.hooks_started,
            "autosave_current": now.autosave_current,
        }
        return JSONResponse(body, status_code=200 if now.ready else 503, headers=_FRESH)

    async def page(_request: Request) -> Response:
        text = render(context.name, context.state, health().summary, read_server(context))
        return HTMLResponse(text, headers=_FRESH)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/metrics", metrics),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
        ]
    )
