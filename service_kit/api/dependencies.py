"""What routes of any API ask for."""

from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from service_kit.clock import utc_now
from service_kit.resources import Services
from service_kit.settings.keys import KeyIdentities

Service = TypeVar("Service")


def provided(kind: type[Service]) -> Any:  # noqa: ANN401 - what stands in `Annotated` has no type of its own
    """The dependency that a resource or a service of `create_app` is, for a route: found by its class."""

    async def find(request: Request) -> Service:
        services: Services = request.app.state.services
        return services[kind]

    return Depends(find)


async def _now() -> datetime:
    return utc_now()


NowDep = Annotated[datetime, Depends(_now)]
"""The instant of the request: the same for all that it changes."""


async def _caller(request: Request, identities: Annotated[KeyIdentities, provided(KeyIdentities)]) -> str | None:
    return identities.of(request.headers.get("X-API-Key", "").encode("latin-1"))  # as Starlette has decoded it


CallerDep = Annotated[str | None, Depends(_caller)]
"""Whose API key the request has, as it may be stored; None where anybody may call."""
