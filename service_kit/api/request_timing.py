"""Timing middleware: one console line, one histogram sample and three headers for each request."""

from functools import lru_cache
from time import perf_counter
from typing import Final

import structlog
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_kit.observability.request_id import request_id_of

REQUEST_SECONDS: Final = Histogram(
    "http_request_duration_seconds",
    "Time from a request's first byte to its answer's last.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
STARTED: Final = "service_kit.started"
"""In a scope: when its request began, if somebody had it before the timing did."""

_QUIET_PREFIXES: Final = ("/health/", "/metrics")
_KNOWN_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


def is_quiet(scope: Scope) -> bool:
    """Whether it is a probe or a scrape, which come every few seconds and tell nothing: no line, no span."""
    path: str = scope["path"]
    return path.startswith(_QUIET_PREFIXES)


@lru_cache(maxsize=1024)  # routes and statuses are few; to look one up costs more than to count it
def _seconds_of(method: str, route: str, status: int) -> Histogram:
    return REQUEST_SECONDS.labels(method, route, status)


def _route_of(scope: Scope) -> str:
    """The route's template, so that ids in paths neither flood the metrics nor stand in the logs."""
    mounted = scope["root_path"] if "app_root_path" in scope else ""
    route = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    if route is not None:  # the first is FastAPI's, of an included router, and has its prefix
        return f"{mounted}{route.path}"
    if mounted:
        return f"{mounted}/*"
    plain = "endpoint" in scope and not scope["path_params"]
    return scope["path"] if plain else "unmatched"


class Timing:
    """Measures how an app answers."""

    def __init__(self) -> None:
        self._log = structlog.get_logger().bind()  # bound once: that is a quarter of what a line costs

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let `app` answer one request, and give the request its id (`scope["request_id"]`)."""
        started = scope.get(STARTED) or perf_counter()
        status = 499  # what remains if the client left before there was an answer
        scope["request_id"] = request_id_of(scope)

        async def send_timed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, scope["request_id"], perf_counter() - started)
            await send(message)

        try:
            await app(scope, receive, send_timed)
        finally:
            self._record(scope, status, perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _KNOWN_METHODS else "OTHER"
        route = _route_of(scope)
        _seconds_of(method, route, status).observe(seconds)
        if not is_quiet(scope):
            line = f"{method} {route} {status} {seconds * 1000:.1f} ms"
            self._log.info(line, request_id=scope["request_id"])


class TimingMiddleware:
    """Measures each response's time; what is no HTTP request passes through."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._timing = Timing()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            await self._timing.run(self.app, scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _add_headers(message: Message, request_id: str, seconds: float) -> None:
    message["headers"] = [
        *message.get("headers", ()),
        (b"x-request-id", request_id.encode()),
        (b"x-process-time", b"%.6f" % seconds),
        (b"server-timing", b"app;dur=%.2f" % (seconds * 1000)),
    ]
