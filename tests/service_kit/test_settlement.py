import asyncio
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from service_kit import settlement as settlement_module
from service_kit.attempts import Dead, Done, Interrupted, TryAgain, Verdict
from service_kit.broker import Outcome
from service_kit.deliveries import ATTEMPTS_HEADER, Delivery, Subscription
from service_kit.fakes import MemoryBroker
from service_kit.rabbit import QueueTopology
from service_kit.settlement import CONSUMED, DEAD_AT_HEADER, REASON_HEADER, Settlement

TOPOLOGY = QueueTopology("orders_queue", topics=("order.*",))


class FakeChannel:
    """Remembers what was acknowledged."""

    def __init__(self) -> None:
        self.on_consumer_cancel_callbacks: set[Any] = set()
        self.acked: list[int] = []
        self.error: BaseException | None = None
        self.is_closed = False
        self.for_all_before = False

    async def basic_ack(self, tag: int, *, multiple: bool) -> None:
        self.for_all_before = multiple
        if self.error:
            raise self.error
        self.acked.append(tag)


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement_module, "_COPY_AGAIN_SECONDS", 0.002)


@pytest.fixture
async def channel() -> FakeChannel:
    return FakeChannel()


@pytest.fixture
async def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
def settlement(broker: MemoryBroker) -> Settlement:
    return Settlement(TOPOLOGY, broker)


@pytest.fixture
async def subscription(channel: FakeChannel) -> Subscription:
    return Subscription(channel, TOPOLOGY.queue, lambda _delivery: None)  # type: ignore[arg-type]  # a fake


def tagged(subscription: Subscription, tag: int) -> Delivery:
    return replace(delivered(subscription), tag=tag)


def delivered(subscription: Subscription, headers: dict[str, Any] | None = None) -> Delivery:
    return Delivery("m1", b"body", "text/plain", headers or {}, tag=7, subscription=subscription)


def consumed(outcome: str) -> float:
    count: float = CONSUMED.labels(TOPOLOGY.queue, outcome)._value.get()
    return count


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Done(), "handled"),
        (Done(repeated=True), "repeated"),
        (TryAgain("broken"), "tried_again"),
        (Dead("garbage"), "dead"),
    ],
)
async def test_acknowledges_what_has_an_end_and_counts_it(
    settlement: Settlement, subscription: Subscription, channel: FakeChannel, verdict: Verdict, outcome: str
) -> None:
    before = consumed(outcome)
    await settlement.settle(delivered(subscription), verdict)
    assert channel.acked == [7]
    assert consumed(outcome) == before + 1


async def test_leaves_an_interrupted_message_as_it_came(
    settlement: Settlement, subscription: Subscription, channel: FakeChannel, broker: MemoryBroker
) -> None:
    await settlement.settle(delivered(subscription), Interrupted())
    assert not channel.acked
    assert not broker.messages


def test_waits_one_second_then_ten_then_sixty_by_default() -> None:
    assert [TOPOLOGY.retry_queue(seconds) for seconds in TOPOLOGY.retry_seconds] == [
        "orders_queue.retry.1s",
        "orders_queue.retry.10s",
        "orders_queue.retry.60s",
    ]


@pytest.mark.parametrize(
    ("headers", "queue", "attempts"),
    [
        ({}, "orders_queue.retry.1s", 1),
        ({ATTEMPTS_HEADER: 1}, "orders_queue.retry.10s", 2),
        ({ATTEMPTS_HEADER: 2}, "orders_queue.retry.60s", 3),
        ({ATTEMPTS_HEADER: 3}, "orders_queue.dead", 4),
        ({ATTEMPTS_HEADER: 1000}, "orders_queue.dead", 1001),
        ({ATTEMPTS_HEADER: "2"}, "orders_queue.retry.1s", 1),
        ({ATTEMPTS_HEADER: -5}, "orders_queue.retry.1s", 1),
        ({ATTEMPTS_HEADER: True}, "orders_queue.retry.1s", 1),
        ({ATTEMPTS_HEADER: 2**63 - 1}, "orders_queue.retry.1s", 1),
        ({ATTEMPTS_HEADER: [1]}, "orders_queue.retry.1s", 1),
        ({ATTEMPTS_HEADER: None}, "orders_queue.retry.1s", 1),
        ({ATTEMPTS_HEADER: 1.5}, "orders_queue.retry.1s", 1),
    ],
)
async def test_climbs_one_rung_with_each_failure_by_its_own_count(
    *,
    settlement: Settlement,
    subscription: Subscription,
    broker: MemoryBroker,
    headers: dict[str, Any],
    queue: str,
    attempts: int,
) -> None:
    await settlement.settle(delivered(subscription, headers), TryAgain("broken"))
    (copy,) = broker.messages
    assert (copy.exchange, copy.topic, copy.headers[ATTEMPTS_HEADER]) == ("", queue, attempts)
    assert (copy.id, copy.body, copy.content_type) == ("m1", b"body", "text/plain")


async def test_says_on_a_dead_message_why_and_when_it_died(
    settlement: Settlement, subscription: Subscription, broker: MemoryBroker
) -> None:
    with capture_logs() as logs:
        await settlement.settle(delivered(subscription), Dead("no order_id"))
    (letter,) = broker.messages
    assert letter.topic == TOPOLOGY.dead_queue
    assert letter.headers[REASON_HEADER] == "no order_id"
    assert str(letter.headers[DEAD_AT_HEADER]).endswith("+00:00")
    assert [(line["event"], line["log_level"]) for line in logs] == [("message_dead", "error")]


@pytest.mark.parametrize("reason", ["x" * 100_000, "half \ud800 a pair", "ñ" * 600, "one\nline\x00"])
async def test_sends_any_reason_in_a_header_of_bounded_length(
    settlement: Settlement, subscription: Subscription, broker: MemoryBroker, reason: str
) -> None:
    await settlement.settle(delivered(subscription), Dead(reason))
    (letter,) = broker.messages
    assert len(str(letter.headers[REASON_HEADER]).encode()) < 2000


async def test_does_not_acknowledge_before_the_copy_is_safe(
    settlement: Settlement, subscription: Subscription, channel: FakeChannel, broker: MemoryBroker
) -> None:
    broker.stop()
    settling = asyncio.create_task(settlement.settle(delivered(subscription), TryAgain("broken")))
    await asyncio.sleep(0.02)
    assert not channel.acked
    broker.start()
    await settling
    assert channel.acked == [7]
    assert len(broker.messages) == 1


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNKNOWN])
async def test_copies_again_until_the_broker_has_it(
    settlement: Settlement, subscription: Subscription, channel: FakeChannel, broker: MemoryBroker, outcome: Outcome
) -> None:
    broker.answer([outcome] * 3)
    await settlement.settle(delivered(subscription), Dead("garbage"))
    assert channel.acked == [7]


async def test_gives_up_copying_when_the_message_is_no_longer_ours(
    settlement: Settlement, subscription: Subscription, channel: FakeChannel, broker: MemoryBroker
) -> None:
    broker.stop()
    settling = asyncio.create_task(settlement.settle(delivered(subscription), TryAgain("broken")))
    subscription.over.set()
    await settling
    assert not channel.acked


@pytest.mark.parametrize(
    "error", [RuntimeError("closed"), ConnectionError("gone"), asyncio.CancelledError(), Exception()], ids=repr
)
async def test_takes_a_lost_acknowledgement_for_no_error_and_counts_nothing(
    settlement: Settlement, subscription: Subscription, channel: FakeChannel, error: BaseException
) -> None:
    channel.error = error
    before = consumed("handled")
    await settlement.settle(delivered(subscription), Done())
    assert consumed("handled") == before


class TestSharing:
    """One acknowledgement for several messages that were handled while more was at hand."""

    async def test_goes_to_the_last_of_them(
        self, settlement: Settlement, subscription: Subscription, channel: FakeChannel
    ) -> None:
        for tag in (1, 2, 3):
            await settlement.settle(tagged(subscription, tag), Done(), more=tag < 3)
        assert (channel.acked, channel.for_all_before) == ([3], True)

    async def test_takes_nothing_along_that_was_not_shared(
        self, settlement: Settlement, subscription: Subscription, channel: FakeChannel
    ) -> None:
        for tag in (3, 1):
            await settlement.settle(tagged(subscription, tag), Done())
            assert not channel.for_all_before
        assert channel.acked == [3, 1]

    async def test_is_not_put_off_for_ever(
        self, settlement: Settlement, subscription: Subscription, channel: FakeChannel
    ) -> None:
        for tag in range(1, 46):
            await settlement.settle(tagged(subscription, tag), Done(), more=True)
        assert channel.acked == [20, 40]
        await subscription.pay()
        assert channel.acked == [20, 40, 45]

    async def test_waits_for_no_message_that_failed(
        self, settlement: Settlement, subscription: Subscription, channel: FakeChannel
    ) -> None:
        await settlement.settle(tagged(subscription, 1), Done(), more=True)
        await settlement.settle(tagged(subscription, 2), Dead(reason="unreadable"), more=True)
        assert channel.acked == [2]

    async def test_is_not_counted_on_a_channel_that_has_ended(
        self, settlement: Settlement, subscription: Subscription, channel: FakeChannel
    ) -> None:
        channel.is_closed = True
        before = consumed("handled")
        await settlement.settle(tagged(subscription, 1), Done(), more=True)
        assert consumed("handled") == before


async def test_can_be_cancelled_while_it_acknowledges(
    settlement: Settlement, subscription: Subscription, channel: FakeChannel
) -> None:
    async def never(_tag: int, *, multiple: bool) -> None:  # noqa: ARG001 - as aiormq
        await asyncio.Event().wait()

    channel.basic_ack = never  # type: ignore[method-assign,assignment]  # a fake
    settling = asyncio.create_task(settlement.settle(delivered(subscription), Done()))
    await asyncio.sleep(0)
    settling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await settling
