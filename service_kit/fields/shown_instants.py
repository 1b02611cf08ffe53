"""Instants in answers with no more decimals than they need, as PostgreSQL spells them: `2026-11-20T10:00:00.123Z`.

So an item reads the same alone, where Pydantic writes it, and in a list, where PostgreSQL does. With Z, because that is
all that `Instant.parse` of Java takes before version 12, and so of many an Android.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import PlainSerializer, WithJsonSchema


def _spelled(instant: datetime) -> str:
    seconds, dot, fraction = instant.astimezone(UTC).replace(tzinfo=None).isoformat().partition(".")
    return f"{seconds}{dot}{fraction.rstrip('0')}Z"


ResponseTimestamp = Annotated[
    datetime,
    PlainSerializer(_spelled, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
