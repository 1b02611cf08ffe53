"""Amounts and rates: what callers send, and how both are answered.

A JSON number or a string is taken. What Python's Decimal would take besides (`"1e9"`, `"1_000"`, `" 5 "`, digits of
other scripts, true) is refused, and so are more decimals than the currency has.
"""

import re
from decimal import Decimal
from math import isfinite
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from loans_service.money.currencies import MINOR_UNIT_DIGITS

CurrencyCode = Literal["MXN", "USD", "EUR", "COP", "PEN", "ARS", "BRL", "BOB", "CRC", "DOP", "GTQ", "UYU", "CLP", "PYG"]
"""Those of `money/currencies.py`; a literal, so that `/docs` lists them."""

_SPELLING: Final = r"^[0-9]{1,12}(\.[0-9]{1,2})?$"
_RATE_SPELLING: Final = r"^[0-9]{1,4}(\.[0-9]{1,6})?$"
_MAX_DIGITS: Final = 12
_MOST_DECIMALS: Final = 2
_MAX_PAID_DIGITS: Final = 16
_RATE_DIGITS: Final = 10


def _spelled(spelling: str, sentence: str) -> BeforeValidator:
    def check(value: Any) -> Any:  # noqa: ANN401 - whatever a request holds
        if isinstance(value, bool) or (isinstance(value, str) and not re.fullmatch(spelling, value)):
            raise ValueError(sentence)
        if isinstance(value, float):
            return _shortest(value) if isfinite(value) else None
        return value

    return BeforeValidator(check)


def _shortest(number: float) -> Decimal | int:
    """The digits of a JSON number: 1000.0 and 1e3 are 1000, which a currency without decimals takes."""
    return int(number) if number.is_integer() else Decimal(repr(number))


def _in_currency(amount: Decimal, info: ValidationInfo) -> Decimal:
    """Refuse more decimals than the currency has, which stands before the amount in its model."""
    currency = info.data.get("currency") or info.data.get("income_currency")
    digits = MINOR_UNIT_DIGITS[currency] if currency else _MOST_DECIMALS
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > digits:
        raise ValueError(f"{currency or 'Every currency'} has at most {digits} decimals")
    return abs(amount)  # JSON's -0.0


_AMOUNT_SENTENCE: Final = 'An amount is a number, or a string like "19.99", with at most the decimals of its currency'


def _schema(spelling: str, highest: float, example: str) -> WithJsonSchema:
    # No `multipleOf`: most validators count in floats, in which 19.99 is no multiple of 0.01.
    return WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": spelling}, {"type": "number", "minimum": 0, "maximum": highest}],
            "examples": [example],
        }
    )


_FROM_JSON: Final = _spelled(_SPELLING, _AMOUNT_SENTENCE)
_AMOUNT_SCHEMA: Final = _schema(_SPELLING, 999_999_999_999, "19.99")

Amount = Annotated[
    Decimal,
    _FROM_JSON,
    Field(ge=0, max_digits=_MAX_DIGITS),
    AfterValidator(_in_currency),
    _AMOUNT_SCHEMA,
]
"""Up to 12 digits, in the decimals of the field `currency` or `income_currency` before it."""

Principal = Annotated[
    Decimal,
    _FROM_JSON,
    Field(gt=0, max_digits=_MAX_DIGITS),
    AfterValidator(_in_currency),
    _AMOUNT_SCHEMA,
]
"""The same, above 0."""

PaidAmount = Annotated[
    Decimal,
    _spelled(r"^[0-9]{1,16}(\.[0-9]{1,2})?$", _AMOUNT_SENTENCE),
    Field(gt=0, max_digits=_MAX_PAID_DIGITS),
    AfterValidator(_in_currency),
    _schema(r"^[0-9]{1,16}(\.[0-9]{1,2})?$", 9_999_999_999_999_999, "960.60"),
]
"""Money that comes; the currency is the loan's, which says later whether the decimals are right."""

Rate = Annotated[
    Decimal,
    _spelled(_RATE_SPELLING, 'A rate is a number of percent, or a string like "18.5", with at most six decimals'),
    Field(ge=0, le=1000, max_digits=_RATE_DIGITS, decimal_places=6),
    AfterValidator(abs),
    _schema(_RATE_SPELLING, 1000, "18.5"),
]
"""Percent a year, 0 to 1000."""

AmountText = Annotated[
    str, Field(description="In the decimals of its currency.", pattern=r"^[0-9]+(\.[0-9]{2})?$", examples=["960.60"])
]
RateText = Annotated[str, Field(description="Percent a year.", pattern=r"^[0-9]+(\.[0-9]+)?$", examples=["18.5"])]


def amount_text(amount: Decimal, currency: str) -> str:
    """An amount as it is answered: with exactly the decimals of its currency."""
    return f"{amount:.{MINOR_UNIT_DIGITS[currency]}f}"


def rate_text(rate: Decimal) -> str:
    """A rate as it is answered: without zeros at its end."""
    text = f"{rate:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
