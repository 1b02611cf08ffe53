from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from orders_service.models.order import NewOrder, OrderStatus, OrderView

JsonObject = dict[str, Any]


def new_order(**changes: object) -> JsonObject:
    return {"items": [item()], "currency": "EUR", **changes}


def item(**changes: object) -> JsonObject:
    return {"sku": "MUG-01", "name": "Coffee mug", "quantity": 3, "unit_price": "19.99", **changes}


def message_of(refused: JsonObject) -> str:
    with pytest.raises(ValidationError) as caught:
        NewOrder.model_validate(refused)
    return str(caught.value.errors()[0]["msg"])


prices = st.decimals(0, Decimal("9999999999.99"), places=2)
lines = st.tuples(st.integers(1, 1_000_000), prices)


@given(st.lists(lines, min_size=1, max_size=100))
def test_adds_its_lines_up_exactly(lines: list[tuple[int, Decimal]]) -> None:
    order = NewOrder.model_validate(new_order(items=[item(quantity=q, unit_price=str(p)) for q, p in lines]))
    in_cents = sum(q * int(p * 100) for q, p in lines)

    assert str(order.total) == f"{in_cents // 100}.{in_cents % 100:02}"


@pytest.mark.parametrize(
    ("quantity", "unit_price", "total"),
    [(3, 0.1, "0.30"), (100, 19.99, "1999.00"), (3, 0.07, "0.21"), (1, 0, "0.00"), (1_000_000, 0.01, "10000.00")],
)
def test_is_right_where_floats_are_wrong(quantity: int, unit_price: float, total: str) -> None:
    order = NewOrder.model_validate(new_order(items=[item(quantity=quantity, unit_price=unit_price)]))

    assert str(order.total) == total


@pytest.mark.parametrize("currency", ["JPY", "BHD"])
def test_keeps_two_decimals_in_every_currency(currency: str) -> None:
    order = NewOrder.model_validate(new_order(currency=currency, items=[item(quantity=3, unit_price=100)]))

    assert str(order.total) == "300.00"


@pytest.mark.parametrize("quantity", [1, 1_000_000, 3.0])
def test_takes_a_whole_quantity(quantity: float) -> None:
    assert NewOrder.model_validate(new_order(items=[item(quantity=quantity)])).items[0].quantity == quantity


@pytest.mark.parametrize("quantity", [0, -1, 1_000_001, 1.5, "3", True, None, float("inf"), 10**400])
def test_refuses_another_quantity(quantity: object) -> None:
    message_of(new_order(items=[item(quantity=quantity)]))


@pytest.mark.parametrize("text", ["ñ", "😀", "日本", "a" * 64])
def test_takes_any_script_and_emoji(text: str) -> None:
    order = NewOrder.model_validate(new_order(items=[item(sku=text, name=text)], notes=text))

    assert (order.items[0].sku, order.items[0].name, order.notes) == (text, text, text)


@pytest.mark.parametrize("sku", ["", " ", "A B", " A", "A\n", "A\0", "\u3000", "a" * 65])
def test_refuses_an_article_number_with_blanks(sku: str) -> None:
    message_of(new_order(items=[item(sku=sku)]))


def test_strips_a_name() -> None:
    assert NewOrder.model_validate(new_order(items=[item(name="  Coffee mug\n")])).items[0].name == "Coffee mug"


@pytest.mark.parametrize("name", ["", "  ", "\u3000\ufeff", "Mug\0", "a" * 201])
def test_refuses_a_name_that_nobody_can_read(name: str) -> None:
    message_of(new_order(items=[item(name=name)]))


@pytest.mark.parametrize("field", ["user_id", "notes"])
def test_lets_out_what_is_optional(field: str) -> None:
    assert NewOrder.model_validate(new_order()) == NewOrder.model_validate(new_order(**{field: None}))


@pytest.mark.parametrize("user_id", ["", "a b", "ñ", "a" * 65, 7])
def test_refuses_a_user_id_that_is_none(user_id: object) -> None:
    message_of(new_order(user_id=user_id))


@pytest.mark.parametrize("count", [1, 100])
def test_takes_1_to_100_items(count: int) -> None:
    assert len(NewOrder.model_validate(new_order(items=[item()] * count)).items) == count


@pytest.mark.parametrize("count", [0, 101])
def test_refuses_no_items_and_too_many(count: int) -> None:
    assert "List should have at" in message_of(new_order(items=[item()] * count))


@pytest.mark.parametrize("body", [new_order(total="0.01"), new_order(items=[item(discount=5)])])
def test_refuses_fields_that_it_does_not_know(body: JsonObject) -> None:
    assert message_of(body) == "Extra inputs are not permitted"


def test_refuses_half_a_character() -> None:
    message_of(new_order(notes="\ud800"))


def test_refuses_nul_in_the_notes() -> None:
    assert "Leave the character NUL out" in message_of(new_order(notes="a\0b"))


@pytest.mark.parametrize("invisible", ["\ufe0f", "\u034f", "\u115f", "\u3164", "\u200b"], ids=ascii)
@pytest.mark.parametrize("field", ["sku", "name", "notes"])
def test_refuses_characters_that_nobody_sees(field: str, invisible: str) -> None:
    body = new_order(notes=f"a{invisible}") if field == "notes" else new_order(items=[item(**{field: f"a{invisible}"})])

    assert "invisible" in message_of(body)


def test_shows_an_order_as_it_was_placed_whatever_has_become_of_it() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    cancelled = OrderView(
        id="1",
        status=OrderStatus.CANCELLED,
        items=[],
        currency="EUR",
        total=Decimal(1),
        created_at=now,
        cancelled_at=now,
    )

    assert (cancelled.as_placed().status, cancelled.as_placed().cancelled_at) == (OrderStatus.PLACED, None)


def test_takes_its_own_example() -> None:
    [example] = NewOrder.model_json_schema()["examples"]

    assert NewOrder.model_validate(example).total == Decimal("59.97")
