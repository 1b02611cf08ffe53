"""Amounts of money: exact decimals with at most two places, from JSON numbers or strings, answered as strings."""

from decimal import Decimal
from typing import Annotated, Any, Final

from bson import Decimal128
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

_MAX_DIGITS: Final = 12


def _from_bson(value: Any) -> Any:  # noqa: ANN401 - whatever a document or a request holds
    """MongoDB's decimals as Python's; a boolean is no amount, although Python counts it among the integers."""
    if isinstance(value, Decimal128):
        return value.to_decimal()
    if isinstance(value, bool):
        raise ValueError("An amount is a number or a string of digits")  # noqa: TRY004 - pydantic wants a ValueError
    return value


def _text(amount: Decimal) -> str:
    return f"{amount:.2f}"


_AS_TEXT = PlainSerializer(_text, return_type=str)

Price = Annotated[
    Decimal,
    BeforeValidator(_from_bson),
    Field(ge=0, max_digits=_MAX_DIGITS, decimal_places=2),
    _AS_TEXT,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 9_999_999_999},
                {"type": "number", "minimum": 0, "maximum": 9_999_999_999.99, "multipleOf": 0.01},
                {"type": "string", "pattern": r"^[0-9]{1,10}(\.[0-9]{1,2})?$"},
            ]
        },
        mode="validation",
    ),
]
"""An amount that a caller sends: up to 9999999999.99."""

Money = Annotated[
    Decimal,
    BeforeValidator(_from_bson),
    _AS_TEXT,
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+\.[0-9]{2}$", "examples": ["59.97"]}, mode="serialization"),
]
"""An amount that the service has computed."""
