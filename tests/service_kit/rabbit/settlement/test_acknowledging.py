"""Acknowledgements: lost ones, shared ones, cancelled ones."""

import asyncio

import pytest

from service_kit.messaging.processor import DeadLetter, Handled
from service_kit.rabbit.settlement import Settlement
from service_kit.rabbit.subscription import Subscription
from tests.service_kit.rabbit.settlement.conftest import FakeChannel, consumed, delivered, tagged


@pytest.mark.parametrize(
    "error", [RuntimeError("closed"), ConnectionError("gone"), asyncio.CancelledError(), Exception()], ids=repr
)
async def test_takes_a_lost_acknowledgement_for_no_error_and_counts_nothing(
    settlement: Settlement, subscription: Subscription, channel: FakeChannel, error: BaseException
) -> None:
    channel.error = error
    before = consumed("handled")
    await settlement.settle(delivered(subscription), Handled())
    assert consumed("handled") == before


class TestSharing:
    """One acknowledgement for several messages that were handled while more was at hand."""

    async def test_goes_to_the_last_of_them(
        self, settlement: Settlement, subscription: Subscription, channel: FakeChannel
    ) -> None:
        for tag in (1, 2, 3):
            await settlement.settle(tagged(subscription, tag), Handled(), more=tag < 3)
        assert (channel.acked, channel.for_all_before) == ([3], True)

    async def test_takes_nothing_along_that_was_not_shared(
        self, settlement: Settlement, subscription: Subscription, channel: FakeChannel
    ) -> None:
        for tag in (3, 1):
            await settlement.settle(tagged(subscription, tag), Handled())
            assert not channel.for_all_before
        assert channel.acked == [3, 1]

    async def test_is_not_put_off_for_ever(
        self, settlement: Settlement, subscription: Subscription, channel: FakeChannel
    ) -> None:
        for tag in range(1, 46):
            await settlement.settle(tagged(subscription, tag), Handled(), more=True)
        assert channel.acked == [20, 40]
        await subscription.flush_acks()
        assert channel.acked == [20, 40, 45]

    async def test_waits_for_no_message_that_failed(
        self, settlement: Settlement, subscription: Subscription, channel: FakeChannel
    ) -> None:
        await settlement.settle(tagged(subscription, 1), Handled(), more=True)
        await settlement.settle(tagged(subscription, 2), DeadLetter(reason="unreadable"), more=True)
        assert channel.acked == [2]

    async def test_is_not_counted_on_a_channel_that_has_ended(
        self, settlement: Settlement, subscription: Subscription, channel: FakeChannel
    ) -> None:
        channel.is_closed = True
        before = consumed("handled")
        await settlement.settle(tagged(subscription, 1), Handled(), more=True)
        assert consumed("handled") == before


async def test_can_be_cancelled_while_it_acknowledges(
    settlement: Settlement, subscription: Subscription, channel: FakeChannel
) -> None:
    async def never(_tag: int, *, multiple: bool) -> None:  # noqa: ARG001 - as aiormq
        await asyncio.Event().wait()

    channel.basic_ack = never  # type: ignore[method-assign,assignment]  # a fake
    settling = asyncio.create_task(settlement.settle(delivered(subscription), Handled()))
    await asyncio.sleep(0)
    settling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await settling
