"""Messages that no service of ours has sent."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from service_kit.messaging.events import encode_event
from service_kit.rabbit.settlement import REASON_HEADER
from service_kit.rabbit.subscription import ATTEMPTS_HEADER
from tests.service_kit.rabbit.consumer.conftest import ConsumerMaker, has
from tests.support.rabbit_support import Queue, Witness, consuming, thing_happened, until

STRANGE: list[dict[str, Any]] = [
    {"message_id": None},
    {"message_id": "m1", "headers": {ATTEMPTS_HEADER: "2"}},
    {"message_id": "m1", "headers": {ATTEMPTS_HEADER: -1}},
    {"message_id": "m1", "headers": {ATTEMPTS_HEADER: True}},
    {"message_id": "m1", "headers": {ATTEMPTS_HEADER: 2**62}},
    {"message_id": "m1", "headers": {ATTEMPTS_HEADER: {"a": [1, None, bytearray(b"\xff")]}}},
    {"message_id": "m1", "priority": 255, "reply_to": "x", "app_id": "ñ", "expiration": "3600000"},
    {"message_id": "x" * 255, "content_type": "x" * 255},
]


@pytest.mark.parametrize("properties", STRANGE, ids=str)
@pytest.mark.parametrize("body", [b"", b"garbage \xff\x00", b"{}", b"x" * 5_000_000], ids=lambda body: str(len(body)))
async def test_gives_a_strangers_garbage_to_the_dead_queue_with_the_reason(
    *, make_consumer: ConsumerMaker, queue: Queue, witness: Witness, properties: dict[str, Any], body: bytes
) -> None:
    await queue.put(body, **properties)
    await queue.put_events(thing_happened("behind it"))
    async with consuming(make_consumer()):
        await witness.has_handled("behind it")
        letter = await queue.take_dead()
    headers = letter.header.properties.headers or {}
    assert letter.body == body
    assert "This is no CloudEvent" in str(headers[REASON_HEADER])
    assert headers[ATTEMPTS_HEADER] in {1, 2**62 + 1}
    assert letter.header.properties.message_id
    assert await queue.count() == 0


@pytest.mark.parametrize("properties", STRANGE, ids=str)
async def test_handles_an_event_whatever_its_properties_are(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness, properties: dict[str, Any]
) -> None:
    await queue.put(encode_event(thing_happened()), **properties)
    async with consuming(make_consumer()):
        await witness.has_handled("one")
    assert await queue.count() == 0
    assert await queue.count_dead() == 0


class Unreadable(str):
    """Text that is no UTF-8 on the wire."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return b"\xff" * len(self)


async def test_is_not_thrown_off_by_properties_that_cannot_be_read(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    """The client library would close the connection, and again at each delivery."""
    await queue.put(b"garbage", message_id=Unreadable("id"))
    await queue.put(encode_event(thing_happened("unreadable")), message_id=Unreadable("id"))
    await queue.put_events(thing_happened("behind it"))
    with capture_logs() as logs:
        async with consuming(make_consumer()):
            await witness.has_handled("unreadable", "behind it")
    assert await queue.count_dead() == 1
    assert not [line for line in logs if "waits for RabbitMQ" in line["event"]]


async def test_handles_an_event_with_an_enormous_id(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    body = encode_event(thing_happened()).replace(b'"id":"', b'"id":"' + b"x" * 1_000_000)
    await queue.put(body)
    await queue.put(body)
    async with consuming(make_consumer()):
        await witness.has_handled("one")
        await until(lambda: has(queue, 0))
    assert witness.handled == ["one"]
