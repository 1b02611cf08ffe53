"""Ids that begin with the millisecond in which they were made (RFC 9562, version 7): so new rows lie together."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import getrandbits
from typing import Annotated, Final
from uuid import UUID

from pydantic import UUID7, WithJsonSchema

UUID7_PATTERN: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION_AND_VARIANT: Final = 7 << 76 | 0b10 << 62
_RANDOM_BITS: Final = 0xFFF << 64 | (1 << 62) - 1
_HEADROOM_BIT: Final = 1 << 61
"""At first 0, where ids are counted up: so half a billion of them never reach the variant."""

# Pydantic's own schema has a format that no other program knows.
ClientId = Annotated[UUID7, WithJsonSchema({"type": "string", "format": "uuid", "pattern": UUID7_PATTERN})]
"""An id that a caller has made."""


def new_uuid7(now: datetime) -> UUID:
    """An id of this moment; its 74 random bits are unique, no secret."""
    return UUID(int=_of(now) | getrandbits(80) & _RANDOM_BITS)


def uuid7_texts(now: datetime) -> Iterator[str]:
    """Ids of one moment without end, each greater than the one before it, as 32 digits.

    So rows that come together stay in their order, and the index of their ids only grows at its end. A text, because
    each `UUID` would cost 2 µs. Source: RFC 9562, section 6.2, "monotonic random".
    """
    following = _of(now) | getrandbits(80) & _RANDOM_BITS & ~_HEADROOM_BIT
    while True:
        yield f"{following:032x}"
        following += 1 + getrandbits(32)


def _of(now: datetime) -> int:
    milliseconds = (now - _EPOCH) // timedelta(milliseconds=1)
    return milliseconds << 80 | _VERSION_AND_VARIANT
