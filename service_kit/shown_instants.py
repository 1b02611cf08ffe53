"""Instants in answers, spelled as PostgreSQL spells them in JSON: `2026-11-20T10:00:00.123+00:00`.

So an item reads the same alone, where Pydantic writes it, and in a list, where PostgreSQL does.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import PlainSerializer, WithJsonSchema


def _spelled(instant: datetime) -> str:
    seconds, dot, fraction = instant.astimezone(UTC).replace(tzinfo=None).isoformat().partition(".")
    return f"{seconds}{dot}{fraction.rstrip('0')}+00:00"


ShownInstant = Annotated[
    datetime,
    PlainSerializer(_spelled, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
