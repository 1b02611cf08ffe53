"""Reads a message whose properties cannot be read as one that has none.

RabbitMQ hands on whatever a client has put into them. pamqp stumbles over text that is no UTF-8 and over instants
beyond the calendar, and aiormq then closes the connection: again and again, because the message comes back.
"""

import struct
from typing import Final

from pamqp.commands import Basic
from pamqp.header import ContentHeader

_FIXED_BYTES: Final = 12
_unmarshal: Final = ContentHeader.unmarshal


def tolerate_unreadable_properties() -> None:
    """Change how this process reads AMQP headers; the library offers no other way in."""
    ContentHeader.unmarshal = _unmarshal_what_can_be  # type: ignore[method-assign]  # as said above


def _unmarshal_what_can_be(self: ContentHeader, data: bytes) -> None:
    try:
        _unmarshal(self, data)
    except (ValueError, OverflowError, OSError, RecursionError, struct.error):
        if len(data) < _FIXED_BYTES:  # not even the body's size, without which no further frame makes sense
            raise
        self.properties = Basic.Properties()
