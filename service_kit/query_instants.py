"""Instants in a query."""

import re
from datetime import MINYEAR, UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", flags=re.ASCII)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def _timestamp(text: Any) -> Any:  # noqa: ANN401 - whatever stands in the query
    """Refuse the numbers that pydantic would read as seconds since 1970."""
    if not isinstance(text, str) or not _RFC_3339.fullmatch(text):
        raise ValueError("Write it like 2026-11-20T10:00:00Z; a + in it is spelled %2B")
    return text


def _in_utc(instant: datetime) -> datetime:
    """The same in UTC, which is all that a driver can convert; beyond the ends of the calendar, the nearest end."""
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        return _FIRST if instant.year == MINYEAR else _LAST


QueryInstant = Annotated[AwareDatetime, BeforeValidator(_timestamp), AfterValidator(_in_utc)]
"""Written like 2026-11-20T10:00:00Z; in UTC."""
