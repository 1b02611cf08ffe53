"""Ids that begin with the millisecond of their creation (RFC 9562, version 7), so new rows are stored together."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import getrandbits
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import UUID7, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from service_kit.fields.text import with_message

UUID7_PATTERN: Final = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
_UUID_PATTERN: Final = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION_AND_VARIANT: Final = 7 << 76 | 0b10 << 62
_RANDOM_BITS: Final = 0xFFF << 64 | (1 << 62) - 1
_HEADROOM_BIT: Final = 1 << 61
"""0 in the first id, so that counting up half a billion ids never changes the variant."""


class _Spelled:
    """Accepts the form of RFC 9562 alone; pydantic also accepts braces, prefixes and ids without hyphens."""

    def __init__(self, pattern: str, sentence: str) -> None:
        self._pattern = pattern
        self._sentence = sentence

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's signature
        """Accept the text of an id, or a `UUID`."""
        uuid = handler(source)
        text = core_schema.chain_schema([core_schema.str_schema(pattern=self._pattern), uuid])
        made = core_schema.chain_schema([core_schema.is_instance_schema(UUID), uuid])
        either = core_schema.union_schema([text, made], mode="left_to_right")
        return with_message(self._sentence, core_schema.json_or_python_schema(json_schema=text, python_schema=either))

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "format": "uuid", "pattern": self._pattern}


ClientId = Annotated[UUID7, _Spelled(UUID7_PATTERN, "Write a UUID of version 7 in its 36 characters")]
"""An id that the caller has made."""

KnownId = Annotated[UUID, _Spelled(_UUID_PATTERN, "Write a UUID in its 36 characters")]
"""An id of any version."""


def new_uuid7(now: datetime) -> UUID:
    """Make an id of this moment; its 74 random bits are unique, not secret."""
    return UUID(int=_of(now) | getrandbits(80) & _RANDOM_BITS)


def uuid7_texts(now: datetime) -> Iterator[str]:
    """Yield ids of one moment, each greater than the one before, as 32 digits, without end.

    So rows that are stored together keep their order, and the index of their ids only grows at its end. Text, because a
    `UUID` costs 2 µs. Source: RFC 9562, section 6.2, "monotonic random".
    """
    following = _of(now) | getrandbits(80) & _RANDOM_BITS & ~_HEADROOM_BIT
    while True:
        yield f"{following:032x}"
        following += 1 + getrandbits(32)


def _of(now: datetime) -> int:
    milliseconds = (now - _EPOCH) // timedelta(milliseconds=1)
    return milliseconds << 80 | _VERSION_AND_VARIANT
