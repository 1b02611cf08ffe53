from datetime import UTC, datetime
from decimal import Decimal

from bson import Decimal128
from bson import decode as read_bson
from bson import encode as write_bson
from hypothesis import example, given
from hypothesis import strategies as st

from orders_service.models.order import NewOrder
from orders_service.services.new_order import as_decimal128, as_document, new_order_id, placed_view

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

LARGEST = 10**18

amounts = st.integers(0, 2).flatmap(lambda places: st.decimals(0, LARGEST, places=places))
instants = st.datetimes(datetime(1970, 1, 2), datetime(2105, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


def test_begins_an_id_with_the_second_of_the_order() -> None:
    assert new_order_id(NOW).generation_time == NOW.replace(microsecond=0)


@given(instants)
def test_begins_an_id_with_any_second_that_an_id_can_have(now: datetime) -> None:
    assert new_order_id(now).generation_time == now.replace(microsecond=0)


def test_gives_no_two_orders_of_one_instant_one_id() -> None:
    assert len({new_order_id(NOW) for _ in range(100_000)}) == 100_000


@given(st.lists(instants, min_size=2, unique_by=lambda now: now.replace(microsecond=0)))
def test_orders_ids_by_the_seconds_of_their_orders(nows: list[datetime]) -> None:
    made_at = {new_order_id(now): now for now in nows}

    assert [made_at[order_id] for order_id in sorted(made_at)] == sorted(nows)


def test_answers_amounts_as_strings() -> None:
    answered = placed_view(new_order_id(NOW), WISH, NOW).model_dump(mode="json")

    assert [item["unit_price"] for item in answered["items"]] == ["0.10", "9999999999.99"]
    assert answered["total"] == "9999999999990000.30"


def test_stores_amounts_as_exact_decimals() -> None:
    document = as_document(new_order_id(NOW), placed_view(new_order_id(NOW), WISH, NOW))

    stored = read_bson(write_bson(document))

    assert stored["total"] == Decimal128("9999999999990000.30")
    assert [item["unit_price"].to_decimal() for item in stored["items"]] == [Decimal("0.1"), Decimal("9999999999.99")]


@given(amounts)
@example(Decimal("0.00"))
@example(Decimal(2**64 - 1) / 100)
@example(Decimal(2**64) / 100)
@example(Decimal("1000000000000000000.00"))
@example(Decimal("100.0"))
@example(Decimal("1E+18"))
def test_stores_an_amount_as_bsons_own_conversion_would(amount: Decimal) -> None:
    stored = as_decimal128(amount)

    assert stored.to_decimal() == Decimal128(amount).to_decimal() == amount
    assert str(stored) == f"{amount:.2f}"


def test_stores_what_it_answers() -> None:
    view = placed_view(new_order_id(NOW), WISH, NOW)

    document = as_document(new_order_id(NOW), view)

    assert document.keys() - {"_id"} == view.model_dump().keys() - {"id"}
    assert (document["status"], document["user_id"], document["created_at"]) == ("placed", "ada", NOW)
