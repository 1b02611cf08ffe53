from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from orders_service.events import order_cancelled, order_created
from service_kit.messaging.events import encode_event

NOW = datetime(2026, 11, 20, 10, 0, 0, 123_000, UTC)


def test_states_that_an_order_was_placed() -> None:
    event = order_created("665f", "ada", Decimal("59.90"), "EUR", at=NOW)

    document = msgspec.json.decode(encode_event(event))

    assert document.pop("id")
    assert document == {
        "specversion": "1.0",
        "source": "/orders_service",
        "type": "order.created",
        "time": "2026-11-20T10:00:00.123000Z",
        "datacontenttype": "application/json",
        "data": {
            "order_id": "665f",
            "user_id": "ada",
            "total": "59.90",
            "currency": "EUR",
            "created_at": "2026-11-20T10:00:00.123000Z",
        },
    }


def test_states_that_an_order_was_cancelled() -> None:
    event = order_cancelled("665f", at=NOW)

    assert event.type == "order.cancelled"
    assert msgspec.json.decode(event.data) == {"order_id": "665f", "cancelled_at": "2026-11-20T10:00:00.123000Z"}


def test_gives_every_event_an_id_of_its_own() -> None:
    assert order_cancelled("665f", at=NOW).id != order_cancelled("665f", at=NOW).id
