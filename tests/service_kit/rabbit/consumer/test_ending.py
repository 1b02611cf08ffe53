"""How a consumer ends when it is told to stop, whatever it is at."""

import asyncio

from service_kit.messaging.circuit_breaker import CircuitBreaker
from tests.service_kit.rabbit.consumer.conftest import ConsumerMaker, disconnected_at_work, has
from tests.support.rabbit_support import Queue, Witness, consuming, is_consuming, thing_happened, until
from tests.support.tcp_proxy import TcpProxy


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
    await until(lambda: has(queue, 19))  # what the connection held comes back a moment after its end


async def test_ends_at_once_when_it_is_idle(make_consumer: ConsumerMaker) -> None:
    consumer = make_consumer()
    async with consuming(consumer):
        await until(lambda: is_consuming(consumer))
    assert not await is_consuming(consumer)


async def test_ends_although_the_broker_is_away(make_consumer: ConsumerMaker, proxy: TcpProxy) -> None:
    await proxy.disconnect()
    async with consuming(make_consumer()):
        await asyncio.sleep(0.05)


async def test_ends_in_the_middle_of_an_outage_after_the_message_in_hand(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness, proxy: TcpProxy
) -> None:
    async with disconnected_at_work(make_consumer(), queue, witness, proxy):
        asyncio.get_running_loop().call_later(0.05, witness.gate.set)
    assert witness.handled == ["one"]


async def test_ends_in_the_middle_of_a_pause(make_consumer: ConsumerMaker, queue: Queue, witness: Witness) -> None:
    witness.failures = 1000
    await queue.put_events(thing_happened())
    async with consuming(make_consumer(breaker=CircuitBreaker(slow_after=1, first_pause=1000))):
        await until(lambda: witness.tries == 1)
    assert witness.tries == 1
    assert await queue.count() == 1


async def test_gives_up_on_a_handler_that_does_not_end(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    witness.gate.clear()
    await queue.put_events(thing_happened())
    async with consuming(make_consumer(finish_seconds=0.05)):
        await witness.is_at_work()
    assert await queue.count() == 1


async def test_leaves_no_task_behind(make_consumer: ConsumerMaker, queue: Queue, witness: Witness) -> None:
    await queue.put_events(thing_happened())
    before = asyncio.all_tasks()
    async with consuming(make_consumer()):
        await witness.has_handled("one")
    # The proxy has noticed the end of its connections a moment later.
    await until(lambda: asyncio.all_tasks() <= before)


async def test_ends_in_the_middle_of_a_renewal(make_consumer: ConsumerMaker) -> None:
    for number in range(60):
        consumer = make_consumer(check_seconds=0.002)
        stop = asyncio.Event()
        running = asyncio.create_task(consumer.run(stop))
        await until(lambda consumer=consumer: consumer._subscription is not None)  # type: ignore[misc]  # bound now
        await asyncio.sleep(number / 3000)
        stop.set()
        async with asyncio.timeout(10):
            await running
