"""What routes of any API ask for."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from service_kit.clock import utc_now


async def _now() -> datetime:
    return utc_now()


NowDep = Annotated[datetime, Depends(_now)]
"""The instant of the request: the same for all that it changes."""


async def _caller(request: Request) -> str | None:
    sent = request.headers.get("X-API-Key", "").encode("latin-1")  # as Starlette has decoded it
    identity: str | None = request.app.state.callers.get(sent)
    return identity


CallerDep = Annotated[str | None, Depends(_caller)]
"""Whose API key the request has, as it may be stored; None where anybody may call."""
