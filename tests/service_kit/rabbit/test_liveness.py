import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity

from dev_stack.servers.rabbitmq import RabbitNode
from service_kit.rabbit.consumer import Consumer, ConsumerTimings
from service_kit.rabbit.liveness import ConsumerCheck, ConsumerLostError
from tests.support.rabbit_support import (
    PATIENCE_SECONDS,
    Queue,
    Witness,
    consuming,
    is_consuming,
    thing_happened,
    until,
)
from tests.support.tcp_proxy import TcpProxy

FED = (1, 0)
MISSING = (0, 0)
HUNGRY = (1, 1)
OFTEN = 5


@dataclass
class FakeConnection:
    """A connection to a broker that answers with these consumers and ready messages, the last for ever."""

    answers: list[tuple[int, int]]
    asked: int = 0

    async def channel(self) -> Any:  # noqa: ANN401 - aio-pika's own is a coroutine that gives a context, too
        @asynccontextmanager
        async def channel() -> AsyncIterator["FakeConnection"]:
            yield self

        return channel()

    async def declare_queue(self, _name: str, *, passive: bool) -> SimpleNamespace:
        assert passive
        consumers, messages = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return SimpleNamespace(
            declaration_result=SimpleNamespace(consumer_count=consumers, message_count=messages),
        )


@dataclass
class Checking:
    """A check, brisk, and whether its consumer is idle."""

    is_idle: bool = True

    def __post_init__(self) -> None:
        self.check = ConsumerCheck("orders_queue", lambda: self.is_idle)

    async def session(self, *answers: tuple[int, int]) -> FakeConnection:
        """Check until it raises."""
        connection = FakeConnection(list(answers))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.keep_checking(connection)
        return connection

    async def keep_checking(self, connection: FakeConnection) -> None:
        while True:
            await asyncio.sleep(0)
            await self.check.ask(connection)  # type: ignore[arg-type]  # a fake

    async def never_doubts(self, answer: tuple[int, int]) -> None:
        connection = FakeConnection([answer])
        running = asyncio.create_task(self.keep_checking(connection))
        await until(lambda: running.done() or connection.asked > OFTEN)
        assert not running.done()
        running.cancel()
        await asyncio.wait({running})


@pytest.mark.parametrize("bad", [MISSING, HUNGRY], ids=["not listed", "left hungry"])
async def test_the_first_bad_answer_ends_the_session(bad: tuple[int, int]) -> None:
    with pytest.raises(ConnectionError, match="does not feed the consumer of orders_queue"):
        await Checking().session(FED, FED, bad, FED)


@pytest.mark.parametrize("bad", [MISSING, HUNGRY], ids=["not listed", "left hungry"])
async def test_the_second_bad_answer_in_a_row_is_final(bad: tuple[int, int]) -> None:
    checking = Checking()
    with pytest.raises(ConnectionError):
        await checking.session(bad)
    with pytest.raises(ConsumerLostError, match="does not feed the consumer of orders_queue"):
        await checking.session(bad)


async def test_a_good_answer_takes_the_doubt_away() -> None:
    checking = Checking()
    for _ in range(3):
        with pytest.raises(ConnectionError):
            await checking.session(FED, MISSING)


async def test_does_not_doubt_an_idle_consumer_of_an_empty_queue() -> None:
    await Checking().never_doubts(FED)


async def test_does_not_doubt_a_consumer_at_work_while_others_wait() -> None:
    await Checking(is_idle=False).never_doubts(HUNGRY)


async def test_does_not_doubt_a_consumer_that_has_been_fed_since_the_last_answer() -> None:
    checking = Checking()
    checking.check.delivered()
    connection = FakeConnection([HUNGRY])
    with pytest.raises(ConnectionError):
        await checking.keep_checking(connection)
    assert connection.asked == 2


# With a real broker


async def test_tells_of_a_queue_that_is_gone(rabbit: RabbitNode, queue: Queue) -> None:
    await queue.delete()
    check = ConsumerCheck(queue.topology.queue, lambda: True)
    async with await aio_pika.connect(rabbit.url) as connection:
        with pytest.raises(ChannelNotFoundEntity):
            await check.ask(connection)


async def test_does_not_wait_for_ever_for_an_answer(rabbit: RabbitNode, queue: Queue) -> None:
    check = ConsumerCheck(queue.topology.queue, lambda: True, answer_seconds=0.05)
    async with TcpProxy(rabbit.url) as proxy:
        connection = await aio_pika.connect(proxy.url)
        proxy.hold_responses()
        with pytest.raises(TimeoutError):
            await check.ask(connection)
        await proxy.disconnect()
        await connection.close()


async def test_doubts_an_idle_consumer_whose_messages_lie_there(rabbit: RabbitNode, queue: Queue) -> None:
    """A stranger's consumer holds one message and takes no second, so that one is listed but nobody is fed."""
    await queue.underlay.basic_qos(prefetch_count=1)
    await queue.put_events(thing_happened("held"), thing_happened("ready"))
    held = asyncio.Event()

    async def hold(_message: object) -> None:
        held.set()

    await queue.underlay.basic_consume(queue.topology.queue, hold)
    await held.wait()
    async with await aio_pika.connect(rabbit.url) as connection:
        with pytest.raises(ConnectionError):
            await ConsumerCheck(queue.topology.queue, lambda: True).ask(connection)


async def test_a_consumer_that_has_vanished_from_the_broker_subscribes_anew(rabbit: RabbitNode, queue: Queue) -> None:
    witness = Witness()
    consumer = Consumer(rabbit.url, "tests", queue.topology, witness, timings=ConsumerTimings(check_seconds=0.05))
    async with consuming(consumer):
        await until(lambda: is_consuming(consumer))
        subscription = consumer._subscription
        assert subscription is not None
        await until(lambda: subscription._tag is not None)
        await subscription._channel.basic_cancel(subscription._tag or "")
        await queue.put_events(thing_happened())
        await witness.has_handled("one")


async def test_a_consumer_that_a_new_connection_does_not_help_gives_up(rabbit: RabbitNode, queue: Queue) -> None:
    consumer = Consumer(rabbit.url, "tests", queue.topology, Witness(), timings=ConsumerTimings(check_seconds=0.01))
    consumer._check.queue = queue.topology.retry_queue(1)  # which nobody consumes
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(ConsumerLostError):
            await consumer.run(asyncio.Event())


async def test_a_fed_consumer_is_never_doubted(
    rabbit: RabbitNode, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts: list[bool] = []
    is_receiving = ConsumerCheck._is_receiving

    async def noted(check: ConsumerCheck, connection: AbstractConnection) -> bool:
        verdicts.append(await is_receiving(check, connection))
        return verdicts[-1]

    monkeypatch.setattr(ConsumerCheck, "_is_receiving", noted)
    witness = Witness()
    async with consuming(
        Consumer(rabbit.url, "tests", queue.topology, witness, timings=ConsumerTimings(check_seconds=0.05))
    ):
        while len(verdicts) < OFTEN:
            names = [f"{len(witness.handled)}-{number}" for number in range(20)]
            await queue.put_events(*map(thing_happened, names))
            await witness.has_handled(*names)
    assert set(verdicts) == {True}
