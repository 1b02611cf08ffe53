"""A body as it comes, for a route that takes more than memory should hold.

Such a route is marked by `streams_body`: then nothing but this module limits its body, and nobody else reads it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from typing import Any, Final, TypeVar

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request

from service_kit.api.request_body import BodyTooLargeError
from service_kit.problems import ServiceError

_MARK: Final = "streams_body"

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class CutOffBodyError(ServiceError):
    """The connection ended before the body did; nothing of it was stored."""

    code = "body-cut-off"

    def __init__(self) -> None:
        super().__init__("The connection ended before the body did. Nothing of it was stored: send it again.")


class SlowBodyError(ServiceError):
    """The body came too slowly, or not at all any more; nothing of it was stored."""

    status = HTTPStatus.REQUEST_TIMEOUT
    code = "body-too-slow"

    def __init__(self, patience: "Patience") -> None:
        super().__init__(
            f"The body has to come at {patience.least_bytes_per_second} bytes a second or more, without a break of "
            f"{patience.silent_seconds:.0f} seconds, and within {patience.longest_seconds:.0f} seconds. Nothing of it "
            "was stored: send it again, in smaller pieces.",
            headers={"Connection": "close"},
        )


@dataclass(frozen=True, kw_only=True)
class Patience:
    """With whoever sends slowly: all that comes buys time.

    Attributes:
        least_bytes_per_second: A second is bought by so many.
        silent_seconds: What is given in advance, and at most saved.
        longest_seconds: For the whole body, however fast it comes.
    """

    least_bytes_per_second: int = 1024
    silent_seconds: float = 30.0
    longest_seconds: float = 900.0


_USUAL: Final = Patience()


def streams_body(endpoint: Endpoint) -> Endpoint:
    """Leave the body of a route to the route; its path has no parameters. Stands below the router's decorator."""
    setattr(endpoint, _MARK, True)
    return endpoint


def streamed_paths(router: APIRouter) -> set[str]:
    """The paths of a router whose routes are marked so."""
    return {route.path for route in router.routes if isinstance(route, APIRoute) and hasattr(route.endpoint, _MARK)}


async def streamed_body(request: Request, limit_bytes: int, patience: Patience = _USUAL) -> AsyncIterator[bytes]:
    """The pieces of a body, of whatever sizes the server receives.

    Raises:
        BodyTooLargeError: It is larger than the limit (413).
        CutOffBodyError: The client has gone (400, which only the log will see).
        SlowBodyError: The client is silent, or too slow (408).
    """
    received = 0
    async for piece in _while_patient(request.stream(), patience):
        received += len(piece)
        if received > limit_bytes:
            raise BodyTooLargeError(f"The body is larger than {limit_bytes} bytes. Send it in smaller pieces.")
        yield piece


async def _while_patient(pieces: AsyncIterator[bytes], patience: Patience) -> AsyncIterator[bytes]:
    seconds, began = patience.silent_seconds, monotonic()
    while True:
        asked_at = monotonic()
        try:
            async with asyncio.timeout(min(seconds, began + patience.longest_seconds - asked_at)):
                piece = await anext(pieces, None)
        except ClientDisconnect as error:
            raise CutOffBodyError from error
        except TimeoutError as error:
            raise SlowBodyError(patience) from error
        if piece is None:
            return
        bought = len(piece) / patience.least_bytes_per_second
        seconds = min(seconds - (monotonic() - asked_at) + bought, patience.silent_seconds)
        yield piece
