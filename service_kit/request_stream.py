"""A body as it comes, for a route that takes more than memory should hold.

Such a route is marked by `streams_body`: then nothing but this module limits its body, and nobody else reads it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any, Final, TypeVar

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request

from service_kit.problems import ServiceError
from service_kit.request_body import BodyTooLargeError

_PATIENCE_SECONDS: Final = 30.0
_MARK: Final = "streams_body"

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class CutOffBodyError(ServiceError):
    """The connection ended before the body did; nothing of it was stored."""

    code = "body-cut-off"

    def __init__(self) -> None:
        super().__init__("The connection ended before the body did. Nothing of it was stored: send it again.")


class SlowBodyError(ServiceError):
    """No byte of the body came for too long; nothing of it was stored."""

    status = HTTPStatus.REQUEST_TIMEOUT
    code = "body-too-slow"

    def __init__(self, seconds: float) -> None:
        sentence = f"No byte of the body came for {seconds:.0f} seconds. Nothing of it was stored: send it again."
        super().__init__(sentence, headers={"Connection": "close"})


def streams_body(endpoint: Endpoint) -> Endpoint:
    """Leave the body of a route to the route; its path has no parameters. Stands below the router's decorator."""
    setattr(endpoint, _MARK, True)
    return endpoint


def streamed_paths(router: APIRouter) -> set[str]:
    """The paths of a router whose routes are marked so."""
    return {route.path for route in router.routes if isinstance(route, APIRoute) and hasattr(route.endpoint, _MARK)}


async def streamed_body(
    request: Request, limit_bytes: int, *, patience_seconds: float = _PATIENCE_SECONDS
) -> AsyncIterator[bytes]:
    """The pieces of a body, of whatever sizes the server receives.

    Raises:
        BodyTooLargeError: It is larger than the limit (413).
        CutOffBodyError: The client has gone (400, which only the log will see).
        SlowBodyError: The client is silent (408).
    """
    received, pieces = 0, request.stream()
    while True:
        try:
            async with asyncio.timeout(patience_seconds):
                piece = await anext(pieces, None)
        except ClientDisconnect as error:
            raise CutOffBodyError from error
        except TimeoutError as error:
            raise SlowBodyError(patience_seconds) from error
        if piece is None:
            return
        received += len(piece)
        if received > limit_bytes:
            raise BodyTooLargeError(f"The body is larger than {limit_bytes} bytes. Send it in smaller pieces.")
        yield piece
