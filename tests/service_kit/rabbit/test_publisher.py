import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from dev_stack.servers.rabbitmq import RabbitNode
from service_kit.messaging.broker import Outcome, OutgoingMessage
from service_kit.rabbit.publisher import RabbitPublisher
from tests.support.rabbit_support import Queue, rabbitmqctl, until
from tests.support.tcp_proxy import TcpProxy


@pytest.fixture
def publish_seconds() -> float:
    """How long the broker may take to confirm; a test may override this fixture."""
    return 5.0


@pytest.fixture
async def publisher(proxy: TcpProxy, queue: Queue, publish_seconds: float) -> AsyncIterator[RabbitPublisher]:
    """Connected through the proxy."""
    publisher = RabbitPublisher(
        proxy.url, "tests", [queue.topology], readers=[queue.topology], publish_seconds=publish_seconds
    )
    async with publisher.running():
        async with asyncio.timeout(10):
            await publisher.connected()
        yield publisher


impatient = pytest.mark.parametrize("publish_seconds", [0.3])


def message(queue: Queue, number: int = 1, *, topic: str = "happened") -> OutgoingMessage:
    return OutgoingMessage(
        f"m{number}", f"{queue.topology.queue}.{topic}", b"body", "text/plain", headers={"x-n": number}
    )


async def test_sends_a_persistent_message_with_its_id_and_headers(publisher: RabbitPublisher, queue: Queue) -> None:
    assert await publisher.publish([message(queue)]) == [Outcome.CONFIRMED]
    taken = await queue.take()
    properties = taken.header.properties
    assert taken.body == b"body"
    assert (properties.message_id, properties.delivery_mode) == ("m1", 2)
    assert properties.content_type == "text/plain"
    assert (properties.headers or {})["x-n"] == 1


async def test_declares_the_queue_that_is_not_there(rabbit: RabbitNode, queue: Queue) -> None:
    await queue.delete()
    publisher = RabbitPublisher(rabbit.url, "tests", [queue.topology])
    async with publisher.running():
        await publisher.connected()
        assert await publisher.publish([message(queue)]) == [Outcome.CONFIRMED]


async def test_makes_a_deleted_queue_again_and_delivers_at_a_later_try(
    publisher: RabbitPublisher, queue: Queue
) -> None:
    await queue.delete()
    assert await publisher.publish([message(queue)]) == [Outcome.REFUSED]
    await until(lambda: confirms(publisher, message(queue)))
    assert await queue.count() == 1


async def test_leaves_a_deleted_queue_away_until_its_consumers_have_heard_of_it(
    publisher: RabbitPublisher, queue: Queue
) -> None:
    await queue.delete()
    began = asyncio.get_running_loop().time()
    assert await publisher.publish([message(queue)]) == [Outcome.REFUSED]
    await until(lambda: has(queue, 0))
    assert asyncio.get_running_loop().time() - began >= 1


async def test_never_takes_a_returned_message_for_a_confirmed_one_with_the_same_id(
    publisher: RabbitPublisher, queue: Queue
) -> None:
    """aiormq tells returned messages apart by their ids alone."""
    await queue.delete()
    twins = [message(queue), message(queue)]
    assert Outcome.CONFIRMED not in await publisher.publish(twins)
    await until(lambda: confirms(publisher, message(queue, 3)))  # the queue is there before its binding is
    both = await asyncio.gather(publisher.publish([message(queue, 2)]), publisher.publish([message(queue, 2)]))
    assert sorted(outcome.value for (outcome,) in both) == ["confirmed", "unknown"]
    assert await queue.count() == 2


async def test_refuses_what_amqp_cannot_carry(publisher: RabbitPublisher, queue: Queue) -> None:
    unsendable = [
        OutgoingMessage("x" * 256, "topic", b"", "text/plain"),
        OutgoingMessage("m1", "x" * 256, b"", "text/plain"),
        OutgoingMessage("m2", "topic", b"", "text/plain", headers={"x": 2**70}),
        OutgoingMessage("m3", "topic", b"", "text/plain", headers={"x": "\ud800"}),
    ]
    assert await publisher.publish(unsendable) == [Outcome.REFUSED] * 4
    assert await publisher.publish([message(queue)]) == [Outcome.CONFIRMED]


async def test_takes_a_message_of_five_megabytes(publisher: RabbitPublisher, queue: Queue) -> None:
    large = OutgoingMessage("m1", queue.topology.queue, b"x" * 5_000_000, "text/plain", exchange="")
    assert await publisher.publish([large]) == [Outcome.CONFIRMED]
    assert len((await queue.take()).body) == 5_000_000


async def test_knows_nothing_of_messages_whose_confirms_are_lost(
    publisher: RabbitPublisher, proxy: TcpProxy, queue: Queue
) -> None:
    proxy.hold_responses()
    publishing = asyncio.create_task(publisher.publish([message(queue, number) for number in range(5)]))
    await until(lambda: has(queue, 5))
    await proxy.disconnect()
    assert await publishing == [Outcome.UNKNOWN] * 5


async def has(queue: Queue, count: int) -> bool:
    return await queue.count() == count


@impatient
async def test_knows_nothing_of_messages_that_the_broker_does_not_answer_in_time(
    publisher: RabbitPublisher, proxy: TcpProxy, queue: Queue
) -> None:
    proxy.hold_responses()
    assert await publisher.publish([message(queue, number) for number in range(5)]) == [Outcome.UNKNOWN] * 5
    await proxy.disconnect()


@impatient
async def test_sends_nothing_more_on_a_connection_that_gave_no_answer(
    publisher: RabbitPublisher, proxy: TcpProxy, queue: Queue
) -> None:
    former = publisher._connection
    proxy.hold_responses()
    assert await publisher.publish([message(queue)]) == [Outcome.UNKNOWN]
    assert await publisher.publish([message(queue, 2)]) == [Outcome.UNKNOWN]
    await proxy.disconnect()
    await proxy.restore()
    await publisher.connected()
    assert publisher._connection is not former
    assert await publisher.publish([message(queue, 3)]) == [Outcome.CONFIRMED]
    assert [await id_of_next(queue) for _ in range(2)] == ["m1", "m3"]


@impatient
async def test_waits_for_the_end_of_an_alarm_without_sending_anything(
    publisher: RabbitPublisher, rabbit: RabbitNode, queue: Queue
) -> None:
    async with alarm_at(rabbit):
        # The first message is what makes the broker stop reading from this connection.
        first = asyncio.create_task(publisher.publish([message(queue)]))
        await until(lambda: publisher._connection is not None and publisher._connection.is_blocked)
        assert await publisher.publish([message(queue, 2)]) == [Outcome.UNKNOWN]
        with pytest.raises(ConnectionError, match="blocked by the broker"):
            await publisher.check()
        waiting = asyncio.create_task(publisher.connected())
        await asyncio.sleep(0.5)  # longer than it waits for a confirm
        assert not first.done()
        assert not waiting.done()
    assert await first == [Outcome.CONFIRMED]
    await waiting
    assert await publisher.publish([message(queue, 3)]) == [Outcome.CONFIRMED]
    assert [await id_of_next(queue) for _ in range(2)] == ["m1", "m3"]


async def test_ends_at_once_in_the_middle_of_an_alarm(rabbit: RabbitNode, queue: Queue) -> None:
    publisher = RabbitPublisher(rabbit.url, "tests", [queue.topology])
    async with alarm_at(rabbit):
        async with publisher.running():
            await publisher.connected()
            publishing = asyncio.create_task(publisher.publish([message(queue)]))
            await until(lambda: publisher._connection is not None and publisher._connection.is_blocked)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 5
        assert await publishing == [Outcome.UNKNOWN]


async def id_of_next(queue: Queue) -> str | None:
    return (await queue.take()).header.properties.message_id


@asynccontextmanager
async def alarm_at(rabbit: RabbitNode) -> AsyncIterator[None]:
    await rabbitmq_blocks(rabbit, blocks=True)
    try:
        yield
    finally:
        await rabbitmq_blocks(rabbit, blocks=False)


async def rabbitmq_blocks(rabbit: RabbitNode, *, blocks: bool) -> None:
    await rabbitmqctl(rabbit, "set_vm_memory_high_watermark", "absolute", "1MB" if blocks else "2GB")


async def confirms(publisher: RabbitPublisher, message: OutgoingMessage) -> bool:
    return await publisher.publish([message]) == [Outcome.CONFIRMED]


async def test_never_raises_while_connections_come_and_go(
    publisher: RabbitPublisher, proxy: TcpProxy, queue: Queue
) -> None:
    outcomes: list[Outcome] = []
    done = asyncio.Event()

    async def keep_publishing(which: int) -> None:
        number = 0
        while not done.is_set():
            number += 1
            topic = "happened" if number % 5 else "nobody.listens"
            outcomes.extend(await publisher.publish([message(queue, 100_000 * which + number, topic=topic)] * 2))
            await asyncio.sleep(0)

    publishing = [asyncio.create_task(keep_publishing(which)) for which in range(5)]
    for _ in range(6):
        async with asyncio.timeout(10):
            await publisher.connected()
        so_far = len(outcomes)
        await until(lambda so_far=so_far: len(outcomes) > so_far + 50)  # type: ignore[misc]
        await proxy.disconnect()
        await proxy.restore()
    done.set()
    await asyncio.gather(*publishing)
    assert set(outcomes) == set(Outcome)


async def test_can_be_cancelled_while_it_publishes(publisher: RabbitPublisher, proxy: TcpProxy, queue: Queue) -> None:
    proxy.hold_responses()
    publishing = asyncio.create_task(publisher.publish([message(queue)]))
    await until(lambda: has(queue, 1))
    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await publishing
    await proxy.disconnect()


async def test_is_healthy_while_it_is_connected(publisher: RabbitPublisher, proxy: TcpProxy) -> None:
    await publisher.check()
    await proxy.disconnect()
    await until(lambda: not publisher._up.is_set())
    with pytest.raises(ConnectionError):
        await publisher.check()


async def test_waits_for_a_broker_that_starts_later_with_a_line_a_retry(rabbit: RabbitNode, queue: Queue) -> None:
    proxy = TcpProxy(rabbit.url)
    await proxy.restore()
    await proxy.disconnect()
    publisher = RabbitPublisher(proxy.url, "tests", [queue.topology])
    with capture_logs() as logs:
        async with publisher.running():
            await until(lambda: len(logs) >= 2)
            await proxy.restore()
            await publisher.connected()
            assert await publisher.publish([message(queue)]) == [Outcome.CONFIRMED]
    await proxy.disconnect()
    *retries, connected = logs
    assert all(line["event"].startswith("tests.publisher waits for RabbitMQ: ") for line in retries)
    assert connected["event"] == "rabbitmq_connected"
    assert "exc_info" not in {key for line in retries for key in line if line[key]}


async def test_says_why_it_waits_when_a_queue_has_other_arguments(
    rabbit: RabbitNode, queue: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    await queue.delete()
    await queue.channel.declare_queue(queue.topology.queue, durable=True)
    publisher = RabbitPublisher(rabbit.url, "tests", [queue.topology])
    with capture_logs() as logs:
        async with publisher.running():
            await until(lambda: len(logs) >= 2)
    assert "exists with other arguments than this service declares" in logs[0]["event"]
    assert logs[1]["again_in_seconds"] > logs[0]["again_in_seconds"]
    assert not capsys.readouterr().err


async def test_leaves_no_task_behind(rabbit: RabbitNode, queue: Queue) -> None:
    before = asyncio.all_tasks()
    async with RabbitPublisher(rabbit.url, "tests", [queue.topology]).running():
        pass
    publisher = RabbitPublisher(rabbit.url, "tests", [queue.topology])
    async with publisher.running():
        await publisher.connected()
    await until(lambda: asyncio.all_tasks() <= before)
