import struct
from collections.abc import Iterator

import pamqp.frame
import pytest
from pamqp.commands import Basic
from pamqp.exceptions import UnmarshalingException
from pamqp.header import ContentHeader

from service_kit.rabbit.lenient_headers import kept_headers, kept_properties, tolerate_unreadable_properties

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


def test_a_copy_leaves_out_what_would_send_it_astray_and_tells_it_in_headers() -> None:
    properties = Basic.Properties(
        expiration="1000",
        user_id="guest",
        headers={
            "CC": ["other_queue"],
            "BCC": ["third"],
            "x-death": [{"queue": "q"}],
            "x-delivery-count": 3,
            "mine": 1,
        },
    )
    assert kept_properties(properties) == {}
    assert kept_headers(properties) == {
        "x-original-CC": ["other_queue"],
        "x-original-BCC": ["third"],
        "x-original-x-death": [{"queue": "q"}],
        "x-original-expiration": "1000",
        "x-original-user-id": "guest",
        "mine": 1,
    }


def test_a_copy_of_a_copy_has_the_same_headers() -> None:
    once = kept_headers(Basic.Properties(headers={"CC": ["other_queue"], "mine": 1}, expiration="1"))
    assert kept_headers(Basic.Properties(headers=once)) == once


@pytest.mark.parametrize(
    "unsendable", [2**70, "\ud800", object(), "x" * 70_000], ids=["int", "text", "object", "large"]
)
def test_a_copy_leaves_out_a_header_that_cannot_be_sent(unsendable: object) -> None:
    headers = {"a": 1, "odd": unsendable, "z": "last"}
    assert kept_headers(Basic.Properties(headers=headers)) == {"a": 1, "z": "last"}  # type: ignore[arg-type]  # that is odd


def test_headers_of_a_copy_leave_room_in_their_frame() -> None:
    kept = kept_headers(Basic.Properties(headers={f"h{number}": "x" * 1000 for number in range(130)}))
    assert 60 <= len(kept) < 66
