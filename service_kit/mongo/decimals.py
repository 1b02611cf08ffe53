"""MongoDB's own type of decimals."""

from typing import Any, Final

from bson import Decimal128
from pydantic import BeforeValidator


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a document holds
    return value.to_decimal() if isinstance(value, Decimal128) else value


FROM_DECIMAL128: Final = BeforeValidator(_plain)
"""Makes a field of a document accept MongoDB's decimals."""
