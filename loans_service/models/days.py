"""Days as callers write them: `2026-01-31`, and nothing that a library would take for a day besides."""

from datetime import date
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

EARLIEST: Final = date(1970, 1, 1)
LATEST: Final = date(2199, 12, 31)
"""So that 480 months later there still is a calendar, and no sum of days leaves it."""

_SPELLING: Final = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


def _as_day(value: Any) -> Any:  # noqa: ANN401 - whatever a request holds
    """Neither the numbers nor the instants that pydantic would take for a day."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) and value[4:5] == value[7:8] == "-" else "")
    except ValueError:
        raise ValueError("Write a day that is in the calendar, like 2026-01-31") from None


Day = Annotated[
    date,
    BeforeValidator(_as_day),
    Field(ge=EARLIEST, le=LATEST),
    WithJsonSchema({"type": "string", "format": "date", "pattern": _SPELLING, "examples": ["2026-01-31"]}),
]
"""From 1970-01-01 to 2199-12-31."""
