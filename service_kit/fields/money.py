"""Amounts of money: exact decimals with at most two places, from JSON numbers or strings, answered as strings.

The two places are the same for every currency: a yen is `"1.00"`.
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

_MAX_DIGITS: Final = 12
_SPELLING: Final = r"^[0-9]{1,10}(\.[0-9]{1,2})?$"


def _from_json(value: Any) -> Any:  # noqa: ANN401 - whatever a request holds
    """Refuse what Python's Decimal would accept: booleans, `"1e2"`, `" 5 "`, `"1_000"`, digits of other scripts."""
    if isinstance(value, bool) or (isinstance(value, str) and not re.fullmatch(_SPELLING, value)):
        raise ValueError('An amount is a number, or a string like "19.99", with at most two decimals')
    return value


def _text(amount: Decimal) -> str:
    return f"{amount:.2f}"


_AS_TEXT = PlainSerializer(_text, return_type=str)

Price = Annotated[
    Decimal,
    BeforeValidator(_from_json),
    Field(ge=0, max_digits=_MAX_DIGITS, decimal_places=2),
    AfterValidator(abs),  # JSON's -0.0 would be answered as "-0.00"
    _AS_TEXT,
    WithJsonSchema(
        {
            # No `multipleOf`: most validators compute with floats, in which 19.99 is not a multiple of 0.01.
            "anyOf": [
                {"type": "string", "pattern": _SPELLING},
                {"type": "number", "minimum": 0, "maximum": 9_999_999_999.99},
            ],
            "examples": ["19.99"],
        },
        mode="validation",
    ),
]
"""An amount that a caller sends: up to 9999999999.99."""

Money = Annotated[
    Decimal,
    _AS_TEXT,
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+\.[0-9]{2}$", "examples": ["59.97"]}, mode="serialization"),
]
"""An amount that the service has stored."""
