"""A settlement on a channel that remembers what was acknowledged."""

from dataclasses import replace
from typing import Any

import pytest

from service_kit.rabbit.settlement import CONSUMED, Settlement
from service_kit.rabbit.subscription import IncomingMessage, Subscription
from service_kit.rabbit.topology import QueueTopology
from service_kit.testing.fakes import MemoryBroker

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


@pytest.fixture
async def channel() -> FakeChannel:
    return FakeChannel()


@pytest.fixture
async def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
def settlement(broker: MemoryBroker) -> Settlement:
    return Settlement(TOPOLOGY, broker, again_seconds=0.002)


@pytest.fixture
async def subscription(channel: FakeChannel) -> Subscription:
    return Subscription(channel, TOPOLOGY.queue, lambda _delivery: None)  # type: ignore[arg-type]  # a fake


def tagged(subscription: Subscription, tag: int) -> IncomingMessage:
    return replace(delivered(subscription), tag=tag)


def delivered(subscription: Subscription, headers: dict[str, Any] | None = None) -> IncomingMessage:
    return IncomingMessage("m1", b"body", "text/plain", headers or {}, tag=7, subscription=subscription)


def consumed(outcome: str) -> float:
    count: float = CONSUMED.labels(TOPOLOGY.queue, outcome)._value.get()
    return count
