"""What becomes of a message by the disposition on it."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from service_kit.messaging.processor import DeadLetter, Disposition, Handled, Release, Retry
from service_kit.rabbit.settlement import DEAD_AT_HEADER, REASON_HEADER, Settlement
from service_kit.rabbit.subscription import ATTEMPTS_HEADER, Subscription
from service_kit.testing.fakes import MemoryBroker
from tests.service_kit.rabbit.settlement.conftest import TOPOLOGY, FakeChannel, consumed, delivered


@pytest.mark.parametrize(
    ("disposition", "outcome"),
    [
        (Handled(), "handled"),
        (Handled(repeated=True), "repeated"),
        (Retry("broken"), "tried_again"),
        (DeadLetter("garbage"), "dead"),
    ],
)
async def test_acknowledges_what_has_an_end_and_counts_it(
    settlement: Settlement, subscription: Subscription, channel: FakeChannel, disposition: Disposition, outcome: str
) -> None:
    before = consumed(outcome)
    await settlement.settle(delivered(subscription), disposition)
    assert channel.acked == [7]
    assert consumed(outcome) == before + 1


async def test_leaves_an_interrupted_message_as_it_came(
    settlement: Settlement, subscription: Subscription, channel: FakeChannel, broker: MemoryBroker
) -> None:
    await settlement.settle(delivered(subscription), Release())
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
    await settlement.settle(delivered(subscription, headers), Retry("broken"))
    (copy,) = broker.messages
    assert (copy.exchange, copy.topic, copy.headers[ATTEMPTS_HEADER]) == ("", queue, attempts)
    assert (copy.id, copy.body, copy.content_type) == ("m1", b"body", "text/plain")


async def test_says_on_a_dead_message_why_and_when_it_died(
    settlement: Settlement, subscription: Subscription, broker: MemoryBroker
) -> None:
    with capture_logs() as logs:
        await settlement.settle(delivered(subscription), DeadLetter("no order_id"))
    (letter,) = broker.messages
    assert letter.topic == TOPOLOGY.dead_queue
    assert letter.headers[REASON_HEADER] == "no order_id"
    assert str(letter.headers[DEAD_AT_HEADER]).endswith("+00:00")
    assert [(line["event"], line["log_level"]) for line in logs] == [("message_dead", "error")]


@pytest.mark.parametrize("reason", ["x" * 100_000, "half \ud800 a pair", "ñ" * 600, "one\nline\x00"])
async def test_sends_any_reason_in_a_header_of_bounded_length(
    settlement: Settlement, subscription: Subscription, broker: MemoryBroker, reason: str
) -> None:
    await settlement.settle(delivered(subscription), DeadLetter(reason))
    (letter,) = broker.messages
    assert len(str(letter.headers[REASON_HEADER]).encode()) < 2000
