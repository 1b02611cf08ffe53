"""What HTTP (RFC 9110, RFC 9111) asks of every route, so that none has to think of it.

- `HEAD` is `GET` without the body, wherever there is a `GET`.
- The lines of a header that is a list count as one.
- No cache keeps an answer. One with an entity tag the caller's own cache may keep, if it asks each time whether it
  still holds. A route that knows better says so itself, by `Cache-Control`.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NO_STORE: Final = (b"cache-control", b"no-store")
_ASK_EACH_TIME: Final = (b"cache-control", b"private, no-cache")
_LISTS: Final = (b"accept-encoding", b"if-match", b"if-none-match")

_Headers = Sequence[tuple[bytes, bytes]]


class HttpRulesMiddleware:
    """Keeps the rules.

    Args:
        app: Has routes for `GET`, and never hears of `HEAD`.
        guarded_by: Headers by which callers are told apart.
    """

    def __init__(self, app: ASGIApp, *, guarded_by: Iterable[str]) -> None:
        self.app = app
        self._varies = [header.encode() for header in guarded_by]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["headers"] = _joined(scope["headers"])
        method = scope["method"]

        async def send_by_the_rules(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope["method"] = method
                await send({**message, "headers": self._with_caching(method, message.get("headers", ()))})
                if method == "HEAD":
                    await send({"type": "http.response.body"})  # all of it, also of a stream without end
            elif method != "HEAD":
                await send(message)

        if method == "HEAD":
            scope["method"] = "GET"
        try:
            await self.app(scope, receive, send_by_the_rules)
        finally:
            scope["method"] = method

    def _with_caching(self, method: str, headers: _Headers) -> _Headers:
        names = {name for name, _ in headers}
        if b"cache-control" in names:
            return headers
        if b"etag" not in names or method not in {"GET", "HEAD"}:
            return [*headers, NO_STORE]
        return [*_varying(headers, self._varies), _ASK_EACH_TIME]


def _joined(headers: _Headers) -> _Headers:
    names = [name for name, _ in headers]
    repeated = [name for name in _LISTS if names.count(name) > 1]
    if not repeated:
        return headers
    whole = [(name, _list_of(name, headers)) for name in repeated]
    return [*((name, value) for name, value in headers if name not in repeated), *whole]


def _varying(headers: _Headers, also: Iterable[bytes]) -> _Headers:
    if not also:
        return headers
    varies = b", ".join(filter(None, [_list_of(b"vary", headers), *also]))
    return [*((name, value) for name, value in headers if name != b"vary"), (b"vary", varies)]


def _list_of(name: bytes, headers: _Headers) -> bytes:
    return b", ".join(value for known, value in headers if known == name)
