"""What a consumer takes, in which order, and when it says that a message is done with."""

import asyncio

import aiormq
import pytest

from tests.service_kit.rabbit.consumer.conftest import ConsumerMaker, has
from tests.support.rabbit_support import Queue, Witness, consuming, thing_happened, until


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
    # The broker puts back what it has sent and nobody has acknowledged, a moment after the connection has ended.
    await until(lambda: has(queue, 200 - len(witness.handled)))


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
