import json
from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from service_kit.fields.money import Money, Price

PRICE: TypeAdapter[Decimal] = TypeAdapter(Price)
MONEY: TypeAdapter[Decimal] = TypeAdapter(Money)
SCHEMA = jsonschema_rs.validator_for(PRICE.json_schema())

amounts = st.decimals(0, Decimal("9999999999.99"), places=2)


def is_accepted(value: object) -> bool:
    try:
        PRICE.validate_python(value)
    except ValidationError:
        return False
    return True


@given(amounts)
def test_takes_an_amount_as_a_string_or_as_a_json_number_without_changing_it(amount: Decimal) -> None:
    as_number = json.loads(str(amount))

    assert PRICE.validate_python(str(amount)) == amount
    assert PRICE.validate_python(as_number) == amount


@given(amounts)
def test_answers_an_amount_with_both_of_its_decimals(amount: Decimal) -> None:
    assert PRICE.dump_json(amount) == f'"{amount:.2f}"'.encode()


@pytest.mark.parametrize("value", [19.99, "19.99", 20, "20", "20.5", 0, 1e2, "0000000001"])
def test_takes_what_people_write(value: object) -> None:
    assert is_accepted(value)


@pytest.mark.parametrize(
    "value",
    [
        *(True, False, None, [], {}),
        *(-1, -0.01, 0.001, 0.1 + 0.2, 19.99 * 100, 10_000_000_000),
        *(float("nan"), float("inf"), json.loads("1e400")),
        *("", " 5 ", "5\n", "1e2", "1_000", "+5", "-5", ".5", "5.", "1,50", "5.005", "\u0665", "NaN", "Infinity"),
    ],
)
def test_refuses_what_is_no_amount(value: object) -> None:
    assert not is_accepted(value)


def test_says_in_a_sentence_how_an_amount_is_written() -> None:
    with pytest.raises(ValidationError, match="An amount is a number, or a string like"):
        PRICE.validate_python("1e2")


def test_answers_no_negative_zero() -> None:
    assert PRICE.dump_json(PRICE.validate_python(-0.0)) == b'"0.00"'


@given(
    st.one_of(
        st.none() | st.booleans() | st.text(max_size=5),
        st.integers(-5, 20_000_000_000),
        st.floats(-1, 2e10, allow_nan=False),
        amounts.map(float),
        st.decimals(0, 100, places=3).map(float),
        st.from_regex(r"[0-9]{1,11}(\.[0-9]{1,3})?"),
    )
)
def test_accepts_what_its_json_schema_describes_with_two_decimals(value: Any) -> None:  # noqa: ANN401 - any JSON
    has_two = not isinstance(value, float) or value == round(value, 2)

    assert is_accepted(value) == (SCHEMA.is_valid(value) and has_two)
