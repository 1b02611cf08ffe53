"""A lane past FastAPI for the plain case of a busy route.

FastAPI's machinery costs several times what the rule behind a route does. A lane stands before FastAPI's route of the
same path and takes only requests in which nothing is out of the ordinary. Everything else, every mistake first of all,
goes on to FastAPI's route, which documents the operation and answers as always: so a lane has no refusals of its own.
Source: docs/decisions/0009-a-fast-lane-past-fastapi.md
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Message, Receive, Scope, Send

from service_kit.api_key import is_one_of

_LEFT_LANE = "service_kit.left_fast_lane"


@dataclass(frozen=True, slots=True)
class PlainRequest:
    """A request for the lane.

    Attributes:
        state: Of the app.
        headers: By small name, each of them once.
        body: Whole, and announced as JSON.
    """

    state: Any
    headers: Mapping[bytes, bytes]
    body: bytes


Serve = Callable[[PlainRequest], Awaitable[Response | None]]
"""Answers a request, or returns None, before it has changed anything, if it is not plain after all."""


class FastLane(BaseRoute):
    """One method of one path. A refusal that `serve` raises is rendered as any other."""

    def __init__(self, method: str, path: str, serve: Serve) -> None:
        self._method = method
        self._path = path
        self._serve = serve
        self._keys: Sequence[str] = ()

    def guarded(self, keys: Sequence[str]) -> Self:
        """Take only callers with one of `keys`, if there are any."""
        self._keys = keys
        return self

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Take what looks plain; the rest never learns of the lane."""
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != self._method:
            return Match.NONE, {}
        if scope["query_string"] or _LEFT_LANE in scope or not self._is_plain(scope["headers"]):
            return Match.NONE, {}
        return Match.FULL, {"endpoint": self._serve, "path_params": {}}

    def _is_plain(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        found = dict(headers)
        if len(found) < len(headers) or found.get(b"content-type") != b"application/json":
            return False
        return not self._keys or is_one_of(self._keys, found.get(b"x-api-key", b""))

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it, or let it go on with its body given back."""
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            request = PlainRequest(scope["app"].state, dict(scope["headers"]), message["body"])
            response = await self._serve(request)
            if response is not None:
                await response(scope, receive, send)
                return
        del scope["endpoint"]
        scope[_LEFT_LANE] = True
        await scope["router"](scope, _given_back(message, receive), send)


def _given_back(message: Message, receive: Receive) -> Receive:
    """Receive `message` once more, then what follows it."""
    waiting = [message]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again
