"""Refuses bodies over a size, whether announced or streamed.

FastAPI's own `max_body_size` answers plain text before any handler is asked; ours answers a problem document.
"""

from http import HTTPStatus

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_kit.problems import PROBLEM_JSON, ServiceError, problem_body


class BodyTooLargeError(ServiceError):
    """The body is larger than the service takes."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "body-too-large"


class BodyLimitMiddleware:
    """Lets bodies of up to `limit_bytes` through."""

    def __init__(self, app: ASGIApp, limit_bytes: int) -> None:
        self.app = app
        self.limit_bytes = limit_bytes
        self.sentence = f"The body is larger than {limit_bytes} bytes. Send it in smaller pieces."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif _announced_bytes(scope) > self.limit_bytes:
            await self._refuse(scope, receive, send)
        else:
            await self.app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        received_bytes = 0

        async def receive_counted() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes > self.limit_bytes:
                raise BodyTooLargeError(self.sentence)
            return message

        return receive_counted

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = BodyTooLargeError
        body = problem_body(error.status, error.code, self.sentence, scope["request_id"])
        await Response(body, error.status, media_type=PROBLEM_JSON)(scope, receive, send)


def _announced_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
