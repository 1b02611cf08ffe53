"""What routes of any API ask for."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends

from service_kit.clock import utc_now


async def _now() -> datetime:
    return utc_now()


NowDep = Annotated[datetime, Depends(_now)]
"""The instant of the request: the same for all that it changes."""
