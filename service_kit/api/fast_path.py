"""A fast path past FastAPI for the plain case of a busy route.

The machinery of FastAPI and Starlette costs several times what the rule behind a route does. A fast path stands in
front of it and takes only requests in which nothing is out of the ordinary. Everything else, every mistake first of
all, goes on to FastAPI's route of the same path, which documents the operation and answers as always: so a fast path
has no refusals of its own.
Source: docs/decisions/0009-a-fast-path-past-fastapi.md
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_kit.api.http_rules import NO_STORE
from service_kit.api.json_values import may_hold_many_values
from service_kit.api.request_body import announced_bytes, has_whole_characters
from service_kit.api.request_timing import STARTED, Timing
from service_kit.resources import Services

_FAILED: Final = "service_kit.failed_in_fast_lane"


@dataclass(frozen=True, slots=True)
class PlainRequest:
    """A request for the fast path.

    Attributes:
        services: Of the app.
        headers: By small name, each of them once.
        body: Whole, and announced as JSON.
    """

    services: Services
    headers: Mapping[bytes, bytes]
    body: bytes


Admits = Callable[[Mapping[bytes, bytes]], bool]
"""Whether the headers of a request, by small name, show what its guard wants."""

Serve = Callable[[PlainRequest], Awaitable[Response | None]]
"""Answers a request, or returns None, before it has changed anything, if it is not plain after all."""


@dataclass(frozen=True, slots=True)
class FastPath:
    """One method of one path. A refusal that `serve` raises is rendered as any other."""

    method: str
    path: str
    serve: Serve


class FastPathMiddleware:
    """Serves what the paths take, around all other middlewares, the framework's own too.

    Args:
        app: Serves the rest; has a `ReraiseRoute` among its routes.
        paths: What is served here, each with what lets a request in by its headers.
        limit_bytes: A larger body goes on.
    """

    def __init__(self, app: ASGIApp, paths: Sequence[tuple[FastPath, Admits]], limit_bytes: int) -> None:
        self.app = app
        self._paths = {(path.method, path.path): (path.serve, admits) for path, admits in paths}
        self._limit_bytes = limit_bytes
        self._timing = Timing()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it, or let it go on with its body given back."""
        found = self._paths.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        headers = self._plain_headers(scope) if found else None
        if found is None or headers is None or not found[1](headers):
            await self.app(scope, receive, send)
            return
        serve = found[0]
        scope[STARTED] = perf_counter()
        message = await receive()
        response = await self._response(serve, scope, headers, message) if self._is_plain(message) else None
        if response is None:
            await self.app(scope, _given_back(message, receive), send)
            return
        scope.update(endpoint=serve, path_params={})
        response.raw_headers.append(NO_STORE)
        await self._timing.run(response, scope, receive, send)

    def _plain_headers(self, scope: Scope) -> Mapping[bytes, bytes] | None:
        headers = dict(scope["headers"])
        if scope["query_string"] or len(headers) < len(scope["headers"]):
            return None
        if headers.get(b"content-type") != b"application/json" or announced_bytes(scope) > self._limit_bytes:
            return None
        return headers

    def _is_plain(self, message: Message) -> bool:
        if message["type"] != "http.request" or message.get("more_body"):
            return False
        body = message["body"]
        return len(body) <= self._limit_bytes and not may_hold_many_values(body) and has_whole_characters(body)

    async def _response(
        self, serve: Serve, scope: Scope, headers: Mapping[bytes, bytes], message: Message
    ) -> Response | None:
        try:
            return await serve(PlainRequest(scope["app"].state.services, headers, message["body"]))
        except Exception as error:  # noqa: BLE001 - whatever it is, the app renders it
            scope.update({_FAILED: error, "endpoint": serve, "path_params": {}})
            return None


class ReraiseRoute(BaseRoute):
    """Raises what a fast path has met where the app's handlers of errors see it."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Take only what has failed in a fast path."""
        return Match.FULL if _FAILED in scope else Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - Starlette's signature
        """Raise it."""
        raise scope[_FAILED]


def _given_back(message: Message, receive: Receive) -> Receive:
    """Receive `message` once more, then what follows it."""
    waiting = [message]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again
