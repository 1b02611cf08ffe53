from datetime import UTC, datetime
from decimal import Decimal

from bson import Decimal128
from bson import decode as read_bson
from bson import encode as write_bson

from orders_service.models.order import NewOrder
from orders_service.services.new_order import as_document, new_order_id, placed_view

NOW = datetime(2026, 11, 20, 10, 0, 0, 123_000, UTC)
WISH = NewOrder.model_validate(
    {
        "user_id": "ada",
        "items": [
            {"sku": "MUG-01", "name": "Coffee mug", "quantity": 3, "unit_price": 0.1},
            {"sku": "DESK", "name": "Desk", "quantity": 1_000_000, "unit_price": "9999999999.99"},
        ],
        "currency": "EUR",
    }
)


def test_begins_an_id_with_the_second_of_the_order() -> None:
    assert new_order_id(NOW).generation_time == NOW.replace(microsecond=0)


def test_gives_two_orders_of_one_instant_two_ids() -> None:
    assert new_order_id(NOW) != new_order_id(NOW)


def test_answers_amounts_as_strings() -> None:
    answered = placed_view(new_order_id(NOW), WISH, NOW).model_dump(mode="json")

    assert [item["unit_price"] for item in answered["items"]] == ["0.10", "9999999999.99"]
    assert answered["total"] == "9999999999990000.30"


def test_stores_amounts_as_exact_decimals() -> None:
    document = as_document(new_order_id(NOW), placed_view(new_order_id(NOW), WISH, NOW))

    stored = read_bson(write_bson(document))

    assert stored["total"] == Decimal128("9999999999990000.30")
    assert [item["unit_price"].to_decimal() for item in stored["items"]] == [Decimal("0.1"), Decimal("9999999999.99")]


def test_stores_what_it_answers() -> None:
    view = placed_view(new_order_id(NOW), WISH, NOW)

    document = as_document(new_order_id(NOW), view)

    assert document.keys() - {"_id"} == view.model_dump().keys() - {"id"}
    assert (document["status"], document["user_id"], document["created_at"]) == ("placed", "ada", NOW)
