import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiormq
import pytest
from structlog.testing import capture_logs

from dev_stack.rabbit_node import RabbitNode
from service_kit import consumer as consumer_module
from service_kit.consumer import Consumer
from service_kit.deliveries import ATTEMPTS_HEADER
from service_kit.events import encode_event
from service_kit.pace import Pace
from service_kit.settlement import REASON_HEADER
from tests.service_kit.stage import Cable, Queue, Witness, consuming, is_consuming, own_queue, thing_happened, until

ConsumerMaker = Callable[..., Consumer]


@pytest.fixture
async def queue(rabbit: RabbitNode) -> AsyncIterator[Queue]:
    async with own_queue(rabbit.url) as queue:
        yield queue


@pytest.fixture
async def cable(rabbit: RabbitNode) -> AsyncIterator[Cable]:
    async with Cable(rabbit.url) as cable:
        yield cable


@pytest.fixture
async def witness() -> Witness:
    return Witness()


@pytest.fixture
async def make_consumer(cable: Cable, queue: Queue, witness: Witness) -> ConsumerMaker:
    """Makes consumers of the queue, at the end of the cable."""

    def make(*, pace: Pace | None = None, check_seconds: float = 15) -> Consumer:
        return Consumer(cable.url, "tests", queue.topology, witness, pace=pace, check_seconds=check_seconds)

    return make


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnects at once."""
    monkeypatch.setattr("service_kit.rabbit_connection._FIRST_RETRY_SECONDS", 0.01)


async def has(queue: Queue, count: int) -> bool:
    return await queue.count() == count


# What becomes of a message


async def test_handles_messages_in_the_order_of_the_queue(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    names = [f"{number:03}" for number in range(300)]
    for name in names:
        await queue.put_events(thing_happened(name))
    async with consuming(make_consumer()):
        await witness.has_handled(*names)
    assert witness.handled == names
    assert await queue.count() == 0


async def test_shares_acknowledgements_while_more_is_at_hand(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    acknowledged: list[int] = []
    basic_ack = aiormq.Channel.basic_ack

    async def counted(channel: aiormq.Channel, tag: int, *, multiple: bool = False) -> None:
        acknowledged.append(tag)
        await basic_ack(channel, tag, multiple=multiple)

    monkeypatch.setattr(aiormq.Channel, "basic_ack", counted)
    names = [f"{number:03}" for number in range(300)]
    await queue.put_events(*map(thing_happened, names))
    async with consuming(make_consumer()):
        await witness.has_handled(*names)
    assert witness.handled == names
    assert await queue.count() == 0
    assert len(acknowledged) < len(names) / 2


async def test_acknowledges_what_it_owes_when_told_to_stop(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    await queue.put_events(*(thing_happened(f"{number:03}") for number in range(200)))
    stop = asyncio.Event()
    running = asyncio.create_task(make_consumer().run(stop))
    await witness.has_handled("050")
    stop.set()
    await running
    assert len(witness.handled) + await queue.count() == 200


async def test_does_not_acknowledge_before_the_effect(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    await queue.put_events(thing_happened())
    witness.gate.clear()
    running = asyncio.create_task(make_consumer().run(asyncio.Event()))
    await witness.is_at_work()
    assert await queue.count() == 0
    running.cancel()  # as if the process were killed
    await asyncio.wait({running})
    await until(lambda: has(queue, 1))


async def test_drops_a_message_that_comes_twice(make_consumer: ConsumerMaker, queue: Queue, witness: Witness) -> None:
    twice, last = thing_happened("twice"), thing_happened("last")
    await queue.put_events(twice, twice, twice, last)
    async with consuming(make_consumer()):
        await witness.has_handled("last")
    assert witness.handled == ["twice", "last"]
    assert await queue.count() == 0


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


async def test_climbs_the_ladder_and_succeeds_once(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    witness.failures = 3
    await queue.put_events(thing_happened())
    async with consuming(make_consumer()):
        await witness.has_handled("one")
    assert witness.tries == 4
    assert witness.handled == ["one"]
    assert await queue.count() == await queue.count_dead() == 0
    assert await queue.count(queue.topology.retry_queue(1)) == 0


async def test_lets_others_pass_while_a_message_waits_on_the_ladder(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    witness.failures = 1
    await queue.put_events(thing_happened("bad"))
    await queue.put_events(thing_happened("good"))
    async with consuming(make_consumer()):
        await witness.has_handled("bad", "good")
    assert witness.handled == ["good", "bad"]


async def test_gives_a_message_to_the_dead_queue_that_never_succeeds(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    witness.failures = 1000
    event = thing_happened()
    await queue.put_events(event)
    async with consuming(make_consumer()):
        letter = await queue.take_dead()
    headers = letter.header.properties.headers or {}
    assert witness.tries == headers[ATTEMPTS_HEADER] == 4
    assert headers[REASON_HEADER] == "RuntimeError: the store is away"
    assert (letter.header.properties.message_id, letter.body) == (event.id, encode_event(event))
    assert await queue.count() == 0


async def test_keeps_messages_out_of_the_dead_queue_while_everything_fails(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    names = [f"{number:02}" for number in range(30)]
    await queue.put_events(*map(thing_happened, names))
    witness.failures = 200
    async with consuming(make_consumer(pace=Pace(slow_after=20, first_pause=0))):
        await witness.has_handled(*names)
    assert sorted(witness.handled) == names
    assert await queue.count_dead() == 0


# Connections that break


@pytest.mark.usefixtures("brisk")
async def test_goes_on_when_the_connection_is_back(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness, cable: Cable
) -> None:
    async with consuming(make_consumer()):
        for round_ in range(5):
            await queue.put_events(*(thing_happened(f"{round_}-{number}") for number in range(50)))
            await until(lambda round_=round_: len(witness.handled) > round_ * 50)  # type: ignore[misc]
            await cable.cut()
            await cable.mend()
        await queue.put_events(thing_happened("last"))  # behind what has come again
        await witness.has_handled("last")
    assert len(witness.handled) == len(set(witness.handled)) == 251
    assert await queue.count() == await queue.count_dead() == 0


@pytest.mark.usefixtures("brisk")
async def test_does_not_repeat_an_effect_whose_acknowledgement_was_lost(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness, cable: Cable
) -> None:
    witness.gate.clear()
    await queue.put_events(thing_happened())
    consumer = make_consumer()
    async with consuming(consumer):
        await witness.is_at_work()
        await cable.cut()
        await until(lambda: consumer._subscription is None)
        await cable.mend()
        await until(lambda: is_consuming(consumer))
        witness.gate.set()
        await witness.has_handled("one")
        await queue.put_events(thing_happened("behind it"))
        await witness.has_handled("behind it")
    assert witness.handled == ["one", "behind it"]
    assert witness.tries == 2
    assert await queue.count() == 0


async def test_makes_a_deleted_queue_again_at_once(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    consumer = make_consumer()
    async with consuming(consumer):
        await until(lambda: is_consuming(consumer))
        with capture_logs() as logs:
            await queue.delete()
            await until(lambda: has(queue, 0), within=10)
        await queue.put_events(thing_happened())
        await witness.has_handled("one")
    assert [line["event"].endswith("was deleted") for line in logs if line["log_level"] == "warning"] == [True]


async def test_makes_a_deleted_queue_again_while_it_handles_a_message(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    witness.gate.clear()
    async with consuming(make_consumer()):
        await queue.put_events(thing_happened("one"))
        await witness.is_at_work()
        await queue.delete()
        await until(lambda: has(queue, 0), within=10)
        await queue.put_events(thing_happened("two"))
        witness.gate.set()
        await witness.has_handled("one", "two")
    assert witness.handled == ["one", "two"]


async def test_makes_a_deleted_rung_again(make_consumer: ConsumerMaker, queue: Queue, witness: Witness) -> None:
    await queue.delete(queue.topology.retry_queue(1))
    await queue.delete(queue.topology.dead_queue)
    witness.failures = 1
    async with consuming(make_consumer()):
        await queue.put_events(thing_happened())
        await witness.has_handled("one")


async def test_starts_before_the_broker_and_before_the_queue_with_a_line_a_retry(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness, cable: Cable
) -> None:
    await queue.delete()
    await cable.cut()
    with capture_logs() as logs:
        async with consuming(make_consumer()):
            await until(lambda: len(logs) >= 4)
            await cable.mend()
            await until(lambda: has(queue, 0))
            await queue.put_events(thing_happened())
            await witness.has_handled("one")
    waiting = [line["event"] for line in logs if line["log_level"] == "warning"]
    assert {line.partition(": ")[0] for line in waiting} == {
        "tests.consumer waits for RabbitMQ",
        "tests.publisher waits for RabbitMQ",
    }


@pytest.mark.usefixtures("brisk")
async def test_goes_on_trying_to_copy_until_the_broker_is_back(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness, cable: Cable
) -> None:
    witness.gate.clear()
    witness.failures = 1
    await queue.put_events(thing_happened())
    consumer = make_consumer()
    async with consuming(consumer):
        await witness.is_at_work()
        await cable.cut()
        await until(lambda: consumer._subscription is None)
        witness.gate.set()
        await cable.mend()
        await witness.has_handled("one")
    assert witness.handled == ["one"]
    assert await queue.count_dead() == 0


# The broker's side


async def test_takes_the_first_message_alone_and_then_a_hundred(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    witness.gate.clear()
    await queue.put_events(*(thing_happened(f"{number:03}") for number in range(250)))
    consumer = make_consumer()
    async with consuming(consumer):
        await witness.is_at_work()
        assert await queue.count() == 249
        first = len(witness.handled)
        release_one(witness)
        await until(lambda: len(witness.handled) == first + 1)
        await until(lambda: holds_a_hundred(queue))
        witness.gate.set()
        await until(lambda: len(witness.handled) == 250)


async def holds_a_hundred(queue: Queue) -> bool:
    """The subscription to the first message may hold one more."""
    return 250 - 1 - await queue.count() in {100, 101}


def release_one(witness: Witness) -> None:
    """Let the call at the gate pass, and close it behind it."""
    witness.gate.set()
    witness.gate = asyncio.Event()


async def test_shares_the_blame_for_a_crash_with_no_other_message(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    """The broker counts the deliveries that a crash leaves open, and buries whatever has too many."""
    await queue.put_events(*(thing_happened(f"{number:02}") for number in range(30)))
    for _ in range(4):
        witness.gate.clear()
        tries = witness.tries
        running = asyncio.create_task(make_consumer().run(asyncio.Event()))
        await until(lambda tries=tries: witness.tries > tries)  # type: ignore[misc]
        running.cancel()
        await asyncio.wait({running})
    await until(lambda: has(queue, 30))
    counts = [((await queue.take()).header.properties.headers or {}).get("x-delivery-count", 0) for _ in range(30)]
    assert counts[0] == 4
    assert set(counts[1:]) == {0}


# The end


async def test_finishes_and_acknowledges_the_message_in_hand_when_told_to_stop(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    await queue.put_events(thing_happened("first"))
    stop = asyncio.Event()
    consumer = make_consumer()
    running = asyncio.create_task(consumer.run(stop))
    await witness.has_handled("first")
    witness.gate.clear()
    await queue.put_events(*(thing_happened(f"{number:02}") for number in range(20)))
    await witness.is_at_work()
    stop.set()
    await asyncio.sleep(0.05)
    assert not running.done()
    witness.gate.set()
    await running
    assert witness.handled == ["first", "00"]
    assert await queue.count() == 19


async def test_ends_at_once_when_it_is_idle(make_consumer: ConsumerMaker) -> None:
    consumer = make_consumer()
    async with consuming(consumer):
        await until(lambda: is_consuming(consumer))
    assert not await is_consuming(consumer)


async def test_ends_although_the_broker_is_away(make_consumer: ConsumerMaker, cable: Cable) -> None:
    await cable.cut()
    async with consuming(make_consumer()):
        await asyncio.sleep(0.05)


async def test_ends_in_the_middle_of_an_outage_after_the_message_in_hand(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness, cable: Cable
) -> None:
    witness.gate.clear()
    await queue.put_events(thing_happened())
    consumer = make_consumer()
    async with consuming(consumer):
        await witness.is_at_work()
        await cable.cut()
        await until(lambda: consumer._subscription is None)
        asyncio.get_running_loop().call_later(0.05, witness.gate.set)
    assert witness.handled == ["one"]


async def test_ends_in_the_middle_of_a_pause(make_consumer: ConsumerMaker, queue: Queue, witness: Witness) -> None:
    witness.failures = 1000
    await queue.put_events(thing_happened())
    async with consuming(make_consumer(pace=Pace(slow_after=1, first_pause=1000))):
        await until(lambda: witness.tries == 1)
    assert witness.tries == 1
    assert await queue.count() == 1


async def test_gives_up_on_a_handler_that_does_not_end(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer_module, "_FINISH_SECONDS", 0.05)
    witness.gate.clear()
    await queue.put_events(thing_happened())
    async with consuming(make_consumer()):
        await witness.is_at_work()
    assert await queue.count() == 1


async def test_leaves_no_task_behind(make_consumer: ConsumerMaker, queue: Queue, witness: Witness) -> None:
    await queue.put_events(thing_happened())
    before = asyncio.all_tasks()
    async with consuming(make_consumer()):
        await witness.has_handled("one")
    # The cable has noticed the end of its connections a moment later.
    await until(lambda: asyncio.all_tasks() <= before)
