"""Refuses what no handler should see: a body over a size, JSON that spells half a character, or holds too many values.

FastAPI's own `max_body_size` answers plain text before any handler is asked; ours answers a problem document.
"""

from collections.abc import Collection
from http import HTTPStatus
from typing import Final

from pydantic_core import from_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_kit.api.json_values import MAX_VALUES, holds_many_values, may_hold_many_values
from service_kit.api.problem_handlers import render
from service_kit.problems import InvalidRequestError, MalformedRequestError, ServiceError, UnsupportedMediaTypeError

_NO_JSON: Final = "The body is not valid JSON in UTF-8, or spells half a character."
_CONTENT_TYPE_BYTES: Final = 256
"""Python's parser of parameters takes time that grows by the square of what is put between quotes."""


class BodyTooLargeError(ServiceError):
    """The body is larger than the service takes."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "body-too-large"


class RequestBodyMiddleware:
    """Lets bodies of up to `limit_bytes` through, as they are read; what nobody reads is never refused.

    The bodies of `streamed_paths` are left to `api/request_stream.py`, and their JSON to whoever parses it.
    """

    def __init__(self, app: ASGIApp, limit_bytes: int, streamed_paths: Collection[str] = ()) -> None:
        self.app = app
        self.limit_bytes = limit_bytes
        self.streamed_paths = streamed_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif len(_content_type(scope)) > _CONTENT_TYPE_BYTES:
            await render(scope, UnsupportedMediaTypeError())(scope, receive, send)
        elif scope["path"] in self.streamed_paths:
            await self.app(scope, receive, send)
        else:
            await self.app(scope, self._checked(scope, receive), send)

    def _checked(self, scope: Scope, receive: Receive) -> Receive:
        body = bytearray()  # it grows in place, however small the pieces are

        async def receive_checked() -> Message:
            if not body:
                self._require_room_for(announced_bytes(scope))
            message = await receive()
            body.extend(message.get("body", b""))
            self._require_room_for(len(body))
            if not message.get("more_body") and _is_json(scope):
                _require_sound(bytes(body))
            return message

        return receive_checked

    def _require_room_for(self, size_bytes: int) -> None:
        if size_bytes > self.limit_bytes:
            raise BodyTooLargeError(f"The body is larger than {self.limit_bytes} bytes. Send it in smaller pieces.")


def _require_sound(body: bytes) -> None:
    try:
        holds_many = may_hold_many_values(body) and holds_many_values(body)
    except ValueError:
        raise MalformedRequestError(_NO_JSON) from None
    if holds_many:
        raise InvalidRequestError(f"The body holds more than {MAX_VALUES} fields and entries. Send what /docs lists.")
    if not has_whole_characters(body):
        raise MalformedRequestError(_NO_JSON)


def has_whole_characters(body: bytes) -> bool:
    r"""False of JSON with half of a surrogate pair, and of what is no JSON: neither UTF-8 nor a store can keep it.

    JSON can spell it (`"\ud800"`), and Python's parser, which FastAPI uses, lets it through. Few bodies have to be
    parsed for it: only escapes and what is not ASCII, or not UTF-8, can hide it.
    """
    if body.isascii() and b"\\u" not in body and b"\0" not in body:
        return True
    try:
        from_json(body)
    except ValueError:
        return False
    return True


def announced_bytes(scope: Scope) -> int:
    """What the head says of the body's size."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def _content_type(scope: Scope) -> bytes:
    return b",".join(value for name, value in scope["headers"] if name == b"content-type")


def _is_json(scope: Scope) -> bool:
    return b"json" in _content_type(scope).lower()
