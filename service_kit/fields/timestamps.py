"""Timestamps: in requests with seconds and an offset, as RFC 3339 has it; in answers in UTC, with a Z.

Answers have no more decimals than they need, as PostgreSQL spells them: `2026-11-20T10:00:00.123Z`. So an item reads
the same alone, where Pydantic writes it, and in a list, where PostgreSQL does. With Z, because that is all that
`Instant.parse` of Java takes before version 12, and so of many an Android.
"""

import re
from datetime import MINYEAR, UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, PlainSerializer, WithJsonSchema

RFC_3339: Final = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def rfc_3339(text: Any) -> Any:  # noqa: ANN401 - whatever a request holds
    """Refuse numbers, which pydantic reads as seconds since 1970, dates without a time, and times without seconds."""
    if not isinstance(text, str) or not re.fullmatch(RFC_3339, text):
        raise ValueError("Write it like 2026-11-20T10:00:00Z; a + in it is spelled %2B")
    return text


def _in_utc(instant: datetime) -> datetime:
    """Convert to UTC, the only offset that a driver can convert; outside of the calendar, take its nearest end."""
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        return _FIRST if instant.year == MINYEAR else _LAST


def _with_t(text: Any) -> Any:  # noqa: ANN401 - whatever stands in the query
    """Accept a blank instead of the T, as RFC 3339 allows (5.6), and the format `date-time` of JSON schema does not."""
    return text.replace(" ", "T", 1) if isinstance(text, str) else text


QueryTimestamp = Annotated[AwareDatetime, BeforeValidator(rfc_3339), BeforeValidator(_with_t), AfterValidator(_in_utc)]
"""A timestamp in a request, like 2026-11-20T10:00:00Z; converted to UTC."""


def spelled(instant: datetime) -> str:
    """As answers spell it."""
    seconds, dot, fraction = instant.astimezone(UTC).replace(tzinfo=None).isoformat().partition(".")
    return f"{seconds}{dot}{fraction.rstrip('0')}Z"


ResponseTimestamp = Annotated[
    datetime,
    PlainSerializer(spelled, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
