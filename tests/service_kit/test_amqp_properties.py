import struct
from collections.abc import Iterator

import pamqp.frame
import pytest
from pamqp.commands import Basic
from pamqp.exceptions import UnmarshalingException
from pamqp.header import ContentHeader

from service_kit.amqp_properties import tolerate_unreadable_properties

BASIC_CLASS = 60
MESSAGE_ID, TIMESTAMP, HEADERS = 1 << 7, 1 << 6, 1 << 13


@pytest.fixture(autouse=True)
def tolerant() -> Iterator[None]:
    strict = ContentHeader.unmarshal
    tolerate_unreadable_properties()
    yield
    ContentHeader.unmarshal = strict  # type: ignore[method-assign]  # as it was


def header(flags: int, properties: bytes, *, body_size: int = 5) -> ContentHeader:
    """Read a header as it comes over the wire."""
    payload = struct.pack(">HHQH", BASIC_CLASS, 0, body_size, flags) + properties
    _, _, frame = pamqp.frame.unmarshal(struct.pack(">BHI", 2, 1, len(payload)) + payload + b"\xce")
    assert isinstance(frame, ContentHeader)
    return frame


def test_reads_what_can_be_read() -> None:
    assert header(MESSAGE_ID, b"\x02m1").properties.message_id == "m1"


@pytest.mark.parametrize(
    ("flags", "properties"),
    [
        (MESSAGE_ID, b"\x02\xff\xfe"),
        (MESSAGE_ID, b""),
        (TIMESTAMP, struct.pack(">Q", 1_700_000_000_000_000)),
        (TIMESTAMP, struct.pack(">Q", 2**64 - 1)),
        (HEADERS, b"\x00\x00\x00\x05\x02\xff\xfet\x01"),
        (HEADERS, b"\x00\x00\x00\x03\x01a?"),
        (HEADERS, b"\xff\xff\xff\xff"),
    ],
    ids=["text", "cut", "microseconds", "eternity", "key", "type", "length"],
)
def test_reads_a_message_without_properties_where_they_cannot_be_read(flags: int, properties: bytes) -> None:
    read = header(flags, properties, body_size=1234)
    assert read.body_size == 1234
    assert read.properties.message_id is None
    assert read.properties == Basic.Properties()


def test_still_stumbles_over_a_frame_that_says_no_size() -> None:
    with pytest.raises(UnmarshalingException):
        pamqp.frame.unmarshal(struct.pack(">BHI", 2, 1, 3) + b"abc" + b"\xce")
