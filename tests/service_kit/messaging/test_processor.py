import asyncio

import pytest
from opentelemetry import trace

from service_kit.background import set_within
from service_kit.messaging.circuit_breaker import CircuitBreaker
from service_kit.messaging.deduplication import DeduplicationWindow
from service_kit.messaging.events import Event, UndecodableEventError, encode_event
from service_kit.messaging.processor import DeadLetter, Handled, MessageProcessor, Release, Retry
from tests.support.rabbit_support import Witness, thing_happened


@pytest.fixture
async def witness() -> Witness:
    return Witness()


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker(slow_after=4, first_pause=0)


@pytest.fixture
def processor(witness: Witness, breaker: CircuitBreaker) -> MessageProcessor:
    return MessageProcessor(witness, DeduplicationWindow(), breaker)


@pytest.fixture
async def over() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def slow(breaker: CircuitBreaker) -> None:
    for _ in range(breaker.slow_after):
        breaker.record(ok=False)


def body(name: str = "one") -> bytes:
    return encode_event(thing_happened(name))


async def test_is_done_when_the_handler_has_returned(
    processor: MessageProcessor, witness: Witness, over: asyncio.Event
) -> None:
    assert await processor.process(body(), over) == Handled()
    assert witness.handled == ["one"]


async def test_drops_an_event_that_was_handled_before(
    processor: MessageProcessor, witness: Witness, over: asyncio.Event
) -> None:
    one = body()
    assert [await processor.process(one, over) for _ in range(3)] == [
        Handled(),
        Handled(repeated=True),
        Handled(repeated=True),
    ]
    assert witness.handled == ["one"]


async def test_tries_an_event_again_that_has_failed_before(
    processor: MessageProcessor, witness: Witness, over: asyncio.Event
) -> None:
    witness.failures = 1
    one = body()
    assert await processor.process(one, over) == Retry("RuntimeError: the store is away")
    assert await processor.process(one, over) == Handled()


@pytest.mark.parametrize("garbage", [b"", b"\xff", b"{}", b"[" * 100_000])
async def test_calls_what_is_no_event_dead_without_asking_the_handler(
    processor: MessageProcessor, witness: Witness, over: asyncio.Event, garbage: bytes
) -> None:
    assert isinstance(await processor.process(garbage, over), DeadLetter)
    assert witness.tries == 0


async def test_calls_data_dead_that_the_handler_cannot_read(breaker: CircuitBreaker, over: asyncio.Event) -> None:
    async def handle(_event: Event) -> None:
        raise UndecodableEventError("no order_id")

    assert await MessageProcessor(handle, DeduplicationWindow(), breaker).process(body(), over) == DeadLetter(
        "no order_id"
    )


async def test_does_not_slow_down_over_garbage(
    processor: MessageProcessor, breaker: CircuitBreaker, over: asyncio.Event
) -> None:
    for _ in range(50):
        await processor.process(b"garbage", over)
    assert not breaker.is_open


async def test_counts_one_failure_at_full_speed(
    processor: MessageProcessor, witness: Witness, over: asyncio.Event
) -> None:
    witness.failures = 10
    await processor.process(body(), over)
    assert witness.tries == 1


@pytest.mark.usefixtures("slow")
async def test_tries_in_place_while_everything_fails(
    processor: MessageProcessor, witness: Witness, over: asyncio.Event
) -> None:
    witness.failures = 7
    assert await processor.process(body(), over) == Handled()
    assert witness.tries == 8


@pytest.mark.usefixtures("slow")
async def test_gives_up_in_place_after_eleven_tries(
    processor: MessageProcessor, witness: Witness, over: asyncio.Event
) -> None:
    witness.failures = 1000
    assert isinstance(await processor.process(body(), over), Retry)
    assert witness.tries == 11


@pytest.mark.usefixtures("slow")
async def test_is_at_full_speed_after_the_first_success(
    processor: MessageProcessor, breaker: CircuitBreaker, witness: Witness, over: asyncio.Event
) -> None:
    witness.failures = 3
    await processor.process(body(), over)
    assert not breaker.is_open


async def test_is_interrupted_in_a_pause_when_the_message_is_no_longer_ours(
    witness: Witness, over: asyncio.Event
) -> None:
    breaker = CircuitBreaker(slow_after=1, first_pause=1000)
    processor = MessageProcessor(witness, DeduplicationWindow(), breaker)
    witness.failures = 1000
    processing = asyncio.create_task(processor.process(body(), over))
    await witness.is_at_work()
    over.set()
    assert await processing == Release()
    assert witness.tries == 1


async def test_does_not_interrupt_a_handler_at_work(
    processor: MessageProcessor, witness: Witness, over: asyncio.Event
) -> None:
    witness.gate.clear()
    processing = asyncio.create_task(processor.process(body(), over))
    await witness.is_at_work()
    over.set()
    witness.gate.set()
    assert await processing == Handled()


async def test_handles_an_event_under_the_span_that_caused_it(breaker: CircuitBreaker, over: asyncio.Event) -> None:
    caused = thing_happened()
    odd = encode_event(caused).replace(b'"id"', b'"traceparent":"garbage","id"')
    spans = []

    async def handle(_event: Event) -> None:
        spans.append(trace.get_current_span())

    assert await MessageProcessor(handle, DeduplicationWindow(), breaker).process(odd, over) == Handled()
    assert len(spans) == 1


async def test_waits_for_an_event_no_longer_than_it_is_told(over: asyncio.Event) -> None:
    assert not await set_within(over, 0)
    over.set()
    assert await set_within(over, 1000)
