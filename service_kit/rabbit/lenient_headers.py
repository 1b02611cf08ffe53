"""The properties and headers of a message: read whatever they contain, and kept in copies.

A message with unreadable properties is handled as one without properties. RabbitMQ delivers whatever a client has put
into them. pamqp fails on text that is not UTF-8 and on times beyond the calendar; aiormq then closes the connection,
again and again, because the message is delivered again.
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
    """Change how this process reads AMQP headers, by a patch: the library has no setting for it."""
    ContentHeader.unmarshal = _unmarshal_what_can_be  # type: ignore[method-assign]  # as said above


def _unmarshal_what_can_be(self: ContentHeader, data: bytes) -> None:
    try:
        _unmarshal(self, data)
    except (ValueError, OverflowError, OSError, RecursionError, struct.error):
        if len(data) < _FIXED_BYTES:  # not even the size of the body, without which the next frames cannot be read
            raise
        self.properties = Basic.Properties()


_KEPT: Final = ("content_encoding", "correlation_id", "reply_to", "message_type", "app_id", "priority", "timestamp")
_ORIGINAL: Final = "x-original-"
_RENAMED: Final = frozenset({"CC", "BCC", "x-death"})
"""Headers on which the broker acts: it would also route a copy to the queues that `CC` names, and drop a message that
was in its queue before according to `x-death`. Copies carry them under another name, for readers of a dead letter."""
_LEFT_OUT: Final = frozenset({"x-delivery-count"})
"""The broker's own count of another message."""
_HEADERS_BYTES: Final = 65_536
"""All headers have to fit into one frame of 128 KiB, beside the properties and our own headers."""


def kept_properties(properties: Basic.Properties) -> dict[str, Any]:
    """The properties that a copy of a message keeps, by their names in pamqp."""
    named = {name: getattr(properties, name) for name in _KEPT}
    return {name: value for name, value in named.items() if value is not None}


def kept_headers(properties: Basic.Properties) -> dict[str, Any]:
    """The headers that a copy of a message keeps.

    Two properties become headers: with its `expiration` a copy would disappear from the queue in which it waits, and
    `user_id` must be that of the sender.
    """
    found: dict[str, Any] = {
        _ORIGINAL + name if name in _RENAMED else name: value for name, value in (properties.headers or {}).items()
    }
    odd = {"expiration": properties.expiration, "user-id": properties.user_id}
    found |= {_ORIGINAL + name: value for name, value in odd.items() if value is not None}
    return _sendable({name: value for name, value in found.items() if name not in _LEFT_OUT})


def _sendable(headers: Mapping[str, Any]) -> dict[str, Any]:
    """The headers that can be encoded and fit into a frame; the others would prevent the copy for ever."""
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
