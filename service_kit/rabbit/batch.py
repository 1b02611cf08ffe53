"""Publishes a batch of messages with one write to the socket.

aiormq's own `basic_publish` takes a lock, a timer and a system call for each message, which are most of its cost. This
does the same for many messages at once, by public attributes of aiormq's channel alone.
Source: docs/decisions/0011-publishing-in-batches.md
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Final

import pamqp.frame
from aiormq import Channel
from aiormq.abc import ChannelFrame
from aiormq.exceptions import DeliveryError
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.header import ContentHeader

from service_kit.messaging.broker import Outcome, OutgoingMessage

_PERSISTENT: Final = 2
_UNSENDABLE: Final = (ValueError, TypeError, OverflowError, struct.error)
"""Errors of the encoder for a message that AMQP cannot carry, such as an id over 255 bytes."""

_Confirmation = asyncio.Future[object]


async def publish_batch(
    channel: Channel,
    messages: Sequence[OutgoingMessage],
    seconds: float,
    is_worth_waiting: Callable[[], Awaitable[bool]],
) -> list[Outcome]:
    """Publish all, persistent and mandatory, and wait for their confirms together.

    Args:
        channel: With publisher confirms, and on which returned messages raise.
        messages: Their ids must differ from those of all other messages on their way: a return names only the id.
        seconds: A message without an answer after this time is `UNKNOWN`.
        is_worth_waiting: Called at that time: whether answers may still arrive, so that the wait is repeated.

    Raises:
        Exception: The channel has ended before anything was sent.
    """
    payloads = [_payload(channel, message) for message in messages]
    confirmations: list[_Confirmation | None] = []
    try:
        async with asyncio.timeout(seconds):
            async with channel.lock:
                await channel.write_queue.put(ChannelFrame(b"".join(filter(None, payloads)), should_close=False))
                # Nothing is awaited between the two: the broker numbers messages as they arrive, and so do we.
                confirmations = [
                    None if payload is None else _expect(channel, message.id)
                    for payload, message in zip(payloads, messages, strict=True)
                ]
        await _wait(confirmations, seconds, is_worth_waiting)
    except TimeoutError:
        pass
    finally:
        for confirmation in filter(None, confirmations):
            confirmation.cancel()
    return [_outcome(confirmation) for confirmation in confirmations] or [Outcome.UNKNOWN] * len(messages)


async def _wait(
    confirmations: Sequence[_Confirmation | None], seconds: float, is_worth_waiting: Callable[[], Awaitable[bool]]
) -> None:
    waiting = {confirmation for confirmation in confirmations if confirmation}
    while waiting:
        _, waiting = await asyncio.wait(waiting, timeout=seconds)
        if waiting and not await is_worth_waiting():
            break


def _payload(channel: Channel, message: OutgoingMessage) -> bytes | None:
    """The frames of a message; None if AMQP cannot carry it."""
    properties = Basic.Properties(
        message_id=message.id,
        content_type=message.content_type,
        delivery_mode=_PERSISTENT,
        headers=dict(message.headers) or None,
        **message.properties,
    )
    size = channel.max_content_size
    parts = [message.body[start : start + size] for start in range(0, len(message.body), size)]
    try:
        header = pamqp.frame.marshal(ContentHeader(properties=properties, body_size=len(message.body)), channel.number)
        bodies = [pamqp.frame.marshal(ContentBody(part), channel.number) for part in parts]
        return b"".join([_publish_frame(message.exchange, message.topic, channel.number), header, *bodies])
    except _UNSENDABLE:
        return None


@lru_cache(maxsize=256)
def _publish_frame(exchange: str, topic: str, channel_number: int) -> bytes:
    publish = Basic.Publish(exchange=exchange, routing_key=topic, mandatory=True)
    return pamqp.frame.marshal(publish, channel_number)


def _expect(channel: Channel, message_id: str) -> _Confirmation:
    """The future that the broker's answer to the next message resolves."""
    channel.delivery_tag += 1
    confirmation: _Confirmation = channel.create_future()
    channel.confirmations[channel.delivery_tag] = confirmation
    channel.message_id_delivery_tag[message_id] = channel.delivery_tag
    confirmation.add_done_callback(lambda _: channel.message_id_delivery_tag.pop(message_id, None))
    return confirmation


def _outcome(confirmation: _Confirmation | None) -> Outcome:
    if confirmation is None:
        return Outcome.REFUSED
    if confirmation.cancelled():
        return Outcome.UNKNOWN
    error = confirmation.exception()
    if error is None:
        return Outcome.CONFIRMED
    return Outcome.REFUSED if isinstance(error, DeliveryError) else Outcome.UNKNOWN
