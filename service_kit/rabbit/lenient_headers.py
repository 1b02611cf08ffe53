"""What a message comes with beside its body: read whatever it is, and kept in copies.

A message whose properties cannot be read is taken for one that has none. RabbitMQ hands on whatever a client has put
into them. pamqp stumbles over text that is no UTF-8 and over instants beyond the calendar, and aiormq then closes the
connection: again and again, because the message comes back.
"""

import struct
from collections.abc import Mapping
from typing import Any, Final

import pamqp.encode
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


_KEPT: Final = ("content_encoding", "correlation_id", "reply_to", "message_type", "app_id", "priority", "timestamp")
_ORIGINAL: Final = "x-original-"
_RENAMED: Final = frozenset({"CC", "BCC", "x-death"})
"""Headers that the broker acts on: it would route a copy to whom `CC` names, too, and drop what by `x-death` was in its
queue before. They go on under another name, for whoever looks at a dead letter."""
_LEFT_OUT: Final = frozenset({"x-delivery-count"})
"""The broker's own count of another message."""
_HEADERS_BYTES: Final = 65_536
"""All of them have to fit into one frame, which is of 128 KiB, beside the properties and our own."""


def kept_properties(properties: Basic.Properties) -> dict[str, Any]:
    """The properties that a copy of a message has, too, by their names in pamqp."""
    named = {name: getattr(properties, name) for name in _KEPT}
    return {name: value for name, value in named.items() if value is not None}


def kept_headers(properties: Basic.Properties) -> dict[str, Any]:
    """The headers that a copy of a message has, too.

    Two properties become headers: by its `expiration` a copy would vanish from the queue that it waits in, and a
    `user_id` must be the sender's own.
    """
    found: dict[str, Any] = {
        _ORIGINAL + name if name in _RENAMED else name: value for name, value in (properties.headers or {}).items()
    }
    odd = {"expiration": properties.expiration, "user-id": properties.user_id}
    found |= {_ORIGINAL + name: value for name, value in odd.items() if value is not None}
    return _sendable({name: value for name, value in found.items() if name not in _LEFT_OUT})


def _sendable(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Those that can be encoded, and fit into a frame; the rest would keep the copy from being sent for ever."""
    kept: dict[str, Any] = {}
    left = _HEADERS_BYTES
    for name, value in headers.items():
        try:
            size = len(pamqp.encode.field_table({name: value}))
        except (ValueError, TypeError, OverflowError, RecursionError, struct.error):
            continue
        if size <= left:
            kept[name] = value
            left -= size
    return kept
