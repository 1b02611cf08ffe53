"""MongoDB's decimals, which are a type of their own."""

from typing import Any, Final

from bson import Decimal128
from pydantic import BeforeValidator


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a document holds
    return value.to_decimal() if isinstance(value, Decimal128) else value


FROM_DECIMAL128: Final = BeforeValidator(_plain)
"""Lets a field of a document take the decimal that MongoDB gives."""
