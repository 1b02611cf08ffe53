"""Copies to the ladder and the dead queue: safe before the message is acknowledged."""

import asyncio

import pytest

from service_kit.messaging.broker import Outcome
from service_kit.messaging.processor import DeadLetter, Retry
from service_kit.rabbit.settlement import Settlement
from service_kit.rabbit.subscription import Subscription
from service_kit.testing.fakes import MemoryBroker
from tests.service_kit.rabbit.settlement.conftest import FakeChannel, delivered


async def test_does_not_acknowledge_before_the_copy_is_safe(
    settlement: Settlement, subscription: Subscription, channel: FakeChannel, broker: MemoryBroker
) -> None:
    broker.stop()
    settling = asyncio.create_task(settlement.settle(delivered(subscription), Retry("broken")))
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
    await settlement.settle(delivered(subscription), DeadLetter("garbage"))
    assert channel.acked == [7]


async def test_gives_up_copying_when_the_message_is_no_longer_ours(
    settlement: Settlement, subscription: Subscription, channel: FakeChannel, broker: MemoryBroker
) -> None:
    broker.stop()
    settling = asyncio.create_task(settlement.settle(delivered(subscription), Retry("broken")))
    subscription.over.set()
    await settling
    assert not channel.acked
