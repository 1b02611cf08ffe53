"""What orders_service states is what notifications_service reads, and both declare the same queue."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import pytest

import notifications_service.config.rabbit
import notifications_service.events
import orders_service.config.rabbit
import orders_service.events
from notifications_service.announcements import announcements
from notifications_service.events import OrderRef
from service_kit.messaging.events import Event, decode_event, encode_event, read_data

NOW: Final = datetime(2026, 11, 20, 10, 0, 0, 123_000, UTC)
ORDER_ID: Final = "665f1c2ab1e4d3a7c9f0e812"
STATED: Final = {
    "order.created": orders_service.events.order_created(ORDER_ID, "ada", Decimal("59.97"), "EUR", at=NOW),
    "order.cancelled": orders_service.events.order_cancelled(ORDER_ID, at=NOW),
}


def delivered(event: Event) -> Event:
    return decode_event(encode_event(event))


@pytest.mark.parametrize("event_type", STATED)
def test_the_consumer_reads_what_the_publisher_states(event_type: str) -> None:
    event = delivered(STATED[event_type])

    assert (event.type, read_data(event, OrderRef).order_id) == (event_type, ORDER_ID)


@pytest.mark.parametrize("event_type", STATED)
def test_the_consumer_needs_no_other_field(event_type: str) -> None:
    data: dict[str, Any] = msgspec.json.decode(STATED[event_type].data)

    assert read_data(with_data(STATED[event_type], {"order_id": data["order_id"]}), OrderRef).order_id == ORDER_ID


@pytest.mark.parametrize("event_type", STATED)
def test_the_consumer_passes_over_fields_that_the_publisher_adds(event_type: str) -> None:
    data: dict[str, Any] = msgspec.json.decode(STATED[event_type].data)

    assert read_data(with_data(STATED[event_type], {**data, "new": ["field"]}), OrderRef).order_id == ORDER_ID


@pytest.mark.parametrize("event_type", STATED)
async def test_the_consumer_announces_every_event_of_the_publisher(event_type: str) -> None:
    lines: list[str] = []

    await announcements(lines.append)(delivered(STATED[event_type]))

    assert [line.rpartition(" ")[2] for line in lines] == [ORDER_ID]


@pytest.mark.parametrize("name", ["ORDER_CREATED", "ORDER_CANCELLED"])
def test_both_call_an_event_by_the_same_name(name: str) -> None:
    assert getattr(orders_service.events, name) == getattr(notifications_service.events, name)


@pytest.mark.parametrize("event_type", STATED)
def test_the_queue_takes_every_event_of_the_publisher(event_type: str) -> None:
    patterns = [
        topic.replace(".", r"\.").replace("*", r"[^.]+")
        for topic in notifications_service.config.rabbit.ORDERS_QUEUE.topics
    ]

    assert any(re.fullmatch(pattern, event_type) for pattern in patterns)


def test_both_declare_the_same_queue() -> None:
    assert orders_service.config.rabbit.ORDERS_QUEUE == notifications_service.config.rabbit.ORDERS_QUEUE
    assert orders_service.config.rabbit.ORDERS_QUEUE.queue == "orders_queue"


def with_data(event: Event, data: object) -> Event:
    return msgspec.structs.replace(event, data=msgspec.Raw(msgspec.json.encode(data)))
