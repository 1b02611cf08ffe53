import json
from decimal import Decimal

import pytest
from pydantic import BaseModel, ValidationError

from loans_service.models.amounts import Amount, CurrencyCode, Principal, Rate, amount_text, rate_text


class Sum(BaseModel):
    currency: CurrencyCode
    amount: Amount


def amount_of(currency: str, spelled: str) -> Decimal:
    return Sum.model_validate({"currency": currency, "amount": json.loads(spelled)}).amount


@pytest.mark.parametrize(
    ("currency", "spelled", "amount"),
    [
        ("MXN", '"19.99"', "19.99"),
        ("MXN", "19.99", "19.99"),
        ("MXN", "19", "19"),
        ("MXN", "9999999999.99", "9999999999.99"),
        ("CLP", "1000.0", "1000"),  # as a number, 1000 all the same
        ("CLP", '"999999999999"', "999999999999"),
        ("MXN", "1e3", "1000"),
        ("MXN", "-0.0", "0"),
    ],
)
def test_takes_numbers_and_strings(currency: str, spelled: str, amount: str) -> None:
    assert str(amount_of(currency, spelled)) == amount


@pytest.mark.parametrize(
    ("currency", "spelled"),
    [
        ("MXN", "1.005"),
        ("MXN", '"1.005"'),
        ("CLP", "1.5"),
        ("CLP", '"1.0"'),
        ("MXN", "NaN"),
        ("MXN", "Infinity"),
        ("MXN", "1e400"),
        ("MXN", '"1e9"'),
        ("MXN", '"-0"'),
        ("MXN", "-1"),
        ("MXN", '"1_000"'),
        ("MXN", '" 5"'),
        ("MXN", '"\u0665"'),
        ("MXN", '"+5"'),
        ("MXN", '""'),
        ("MXN", "true"),
        ("MXN", "null"),
        ("MXN", "[5]"),
        ("MXN", "{}"),
        ("MXN", "1" * 40),
        ("MXN", f'"{"1" * 40}"'),
        ("MXN", "99999999999.99"),
    ],
)
def test_refuses_the_rest(currency: str, spelled: str) -> None:
    with pytest.raises(ValidationError):
        amount_of(currency, spelled)


def test_refuses_a_principal_of_nothing() -> None:
    class Loan(BaseModel):
        principal: Principal

    with pytest.raises(ValidationError):
        Loan(principal=Decimal(0))


@pytest.mark.parametrize("spelled", ["1000.000001", "-1", "1e2", "0.0000001", ""])
def test_refuses_rates_that_are_none(spelled: str) -> None:
    class Loan(BaseModel):
        rate: Rate

    with pytest.raises(ValidationError):
        Loan.model_validate({"rate": spelled})


@pytest.mark.parametrize(
    ("amount", "currency", "text"), [("5", "MXN", "5.00"), ("1000000", "CLP", "1000000"), ("0", "PYG", "0")]
)
def test_answers_amounts_with_the_decimals_of_their_currency(amount: str, currency: str, text: str) -> None:
    assert amount_text(Decimal(amount), currency) == text


@pytest.mark.parametrize(("rate", "text"), [("24.000000", "24"), ("18.5", "18.5"), ("1000", "1000"), ("0.00", "0")])
def test_answers_rates_without_zeros_at_their_end(rate: str, text: str) -> None:
    assert rate_text(Decimal(rate)) == text
