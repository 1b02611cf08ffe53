from typing import Any

import msgspec
import pytest

from notifications_service.announcements import announcements
from service_kit.messaging.events import Event, UndecodableEventError


def event(event_type: str, **data: object) -> Event:
    return Event(id="1", source="/anybody", type=event_type, data=msgspec.Raw(msgspec.json.encode(data)))


async def announced(*events: Event) -> list[str]:
    lines: list[str] = []
    handlers = announcements(lines.append)
    for one in events:
        await handlers(one)
    return lines


@pytest.mark.parametrize(
    ("event_type", "line"),
    [("order.created", "New order received: 665f"), ("order.cancelled", "Order cancelled: 665f")],
)
async def test_tells_of_an_event_in_one_line(event_type: str, line: str) -> None:
    assert await announced(event(event_type, order_id="665f")) == [line]


async def test_tells_of_events_in_their_order() -> None:
    lines = await announced(event("order.created", order_id="665f"), event("order.cancelled", order_id="665f"))

    assert lines == ["New order received: 665f", "Order cancelled: 665f"]


@pytest.mark.parametrize("event_type", ["order.shipped", "user.registered", "ORDER.CREATED"])
async def test_tells_nothing_of_events_that_it_does_not_know(event_type: str) -> None:
    assert await announced(event(event_type, order_id="665f")) == []


@pytest.mark.parametrize("order_id", [None, 7, "", "two words", "665f\n", "665f\nNew order received: 666", "a" * 65])
async def test_refuses_an_id_that_would_not_make_one_line(order_id: Any) -> None:  # noqa: ANN401 - a stranger's JSON
    with pytest.raises(UndecodableEventError):
        await announced(event("order.created", order_id=order_id))


async def test_does_not_call_an_order_announced_whose_line_could_not_be_written() -> None:
    def broken(_line: str) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await announcements(broken)(event("order.created", order_id="665f"))
