"""Connections that break, and queues that are deleted, under a consumer."""

from structlog.testing import capture_logs

from tests.service_kit.rabbit.consumer.conftest import ConsumerMaker, disconnected_at_work, has
from tests.support.rabbit_support import Queue, Witness, consuming, is_consuming, thing_happened, until
from tests.support.tcp_proxy import TcpProxy


async def test_goes_on_when_the_connection_is_back(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness, proxy: TcpProxy
) -> None:
    async with consuming(make_consumer(first_retry_seconds=0.01)):
        for round_ in range(5):
            await queue.put_events(*(thing_happened(f"{round_}-{number}") for number in range(50)))
            await until(lambda round_=round_: len(witness.handled) > round_ * 50)  # type: ignore[misc]
            await proxy.disconnect()
            await proxy.restore()
        await queue.put_events(thing_happened("last"))  # behind what has come again
        await witness.has_handled("last")
    assert len(witness.handled) == len(set(witness.handled)) == 251
    assert await queue.count() == await queue.count_dead() == 0


async def test_does_not_repeat_an_effect_whose_acknowledgement_was_lost(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness, proxy: TcpProxy
) -> None:
    consumer = make_consumer(first_retry_seconds=0.01)
    async with disconnected_at_work(consumer, queue, witness, proxy):
        await proxy.restore()
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
    warnings = [line["event"] for line in logs if line["log_level"] == "warning"]
    assert [warning.endswith("was deleted") for warning in warnings] == [True], warnings


async def test_hears_again_although_a_stranger_deletes_the_queue_and_makes_it_again_at_once(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    """RabbitMQ 3.10 then cancels nobody, and sends its messages to a channel that drops them."""
    consumer = make_consumer(check_seconds=0.1)
    async with consuming(consumer):
        await queue.put_events(thing_happened("before"))
        await witness.has_handled("before")
        for round_ in range(5):
            await until(lambda: is_consuming(consumer))
            await queue.delete()
            await queue.topology.declare(queue.channel)
            names = [f"{round_}-{number}" for number in range(15)]
            await queue.put_events(*map(thing_happened, names))
            await witness.has_handled(*names)
    assert len(witness.handled) == len(set(witness.handled)) == 1 + 5 * 15


async def test_is_consuming_all_the_while_it_takes_new_channels(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    consumer = make_consumer(check_seconds=0.01)
    channels: set[str] = set()
    names = [f"{number:03}" for number in range(400)]
    async with consuming(consumer):
        await until(lambda: is_consuming(consumer))
        for name in names:
            await queue.put_events(thing_happened(name))
            await consumer.check()
            assert consumer._subscription is not None
            channels.add(str(consumer._subscription._channel))
        await witness.has_handled(*names)
    assert len(channels) > 5
    assert witness.handled == names
    assert await queue.count() == 0


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
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness, proxy: TcpProxy
) -> None:
    await queue.delete()
    await proxy.disconnect()
    with capture_logs() as logs:
        async with consuming(make_consumer()):
            await until(lambda: len(logs) >= 4)
            await proxy.restore()
            await until(lambda: has(queue, 0))
            await queue.put_events(thing_happened())
            await witness.has_handled("one")
    waiting = [line["event"] for line in logs if line["log_level"] == "warning"]
    assert {line.partition(": ")[0] for line in waiting} == {
        "tests.consumer waits for RabbitMQ",
        "tests.publisher waits for RabbitMQ",
    }


async def test_goes_on_trying_to_copy_until_the_broker_is_back(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness, proxy: TcpProxy
) -> None:
    witness.failures = 1
    async with disconnected_at_work(make_consumer(first_retry_seconds=0.01), queue, witness, proxy):
        witness.gate.set()
        await proxy.restore()
        await witness.has_handled("one")
    assert witness.handled == ["one"]
    assert await queue.count_dead() == 0
