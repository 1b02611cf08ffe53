"""What becomes of a message whose handler fails: the ladder, and in the end the dead queue."""

from datetime import UTC, datetime
from math import inf

from structlog.testing import capture_logs

from service_kit.messaging.circuit_breaker import CircuitBreaker
from service_kit.messaging.events import encode_event
from service_kit.rabbit.settlement import REASON_HEADER
from service_kit.rabbit.subscription import ATTEMPTS_HEADER
from tests.service_kit.rabbit.consumer.conftest import ConsumerMaker
from tests.support.rabbit_support import Queue, Witness, consuming, thing_happened


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
    with capture_logs():  # to print two hundred tracebacks takes longer than all else
        async with consuming(make_consumer(breaker=CircuitBreaker(slow_after=20, first_pause=0))):
            await witness.has_handled(*names)
    assert sorted(witness.handled) == names
    assert await queue.count_dead() == 0


async def test_a_dead_message_has_what_it_came_with(
    make_consumer: ConsumerMaker, queue: Queue, witness: Witness
) -> None:
    witness.failures = inf
    event = thing_happened()
    async with consuming(make_consumer()):
        await queue.put(
            encode_event(event),
            message_id=event.id,
            headers={"tenant": "north", "CC": [queue.topology.dead_queue], "nested": {"list": [1, None, True]}},
            correlation_id="c1",
            reply_to="answers",
            message_type="thing",
            app_id="shop",
            content_encoding="utf-8",
            priority=3,
            expiration="60000",
            timestamp=datetime(2026, 1, 1, tzinfo=UTC),
        )
        await queue.take_dead()  # the copy that CC has asked for; no further one may come
        dead = (await queue.take_dead()).header.properties
    assert await queue.count_dead() == await queue.count() == 0
    headers = dead.headers or {}
    assert (headers["tenant"], headers["nested"]) == ("north", {"list": [1, None, True]})
    assert headers["x-original-CC"] == [queue.topology.dead_queue]
    assert headers["x-original-expiration"] == "60000"
    assert (dead.correlation_id, dead.reply_to, dead.message_type) == ("c1", "answers", "thing")
    assert (dead.app_id, dead.content_encoding, dead.priority) == ("shop", "utf-8", 3)
    assert dead.timestamp == datetime(2026, 1, 1, tzinfo=UTC)
    assert (dead.message_id, dead.expiration, headers[ATTEMPTS_HEADER]) == (event.id, None, 4)
