"""Makes passengers of the rows of a load, after a reader has cut them; Pydantic reads up to five hundred at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from pydantic import FailFast, TypeAdapter

from passengers_service.models.passenger import NewPassenger

# Stops at the first bad row; the others are then checked one by one, so that errors never use much memory.
_PASSENGERS: Final = TypeAdapter(Annotated[list[NewPassenger], FailFast()])
_FIELDS: Final = tuple(NewPassenger.model_fields)
_SHAPE: Final = msgspec.json.Decoder(
    msgspec.defstruct("Shape", [(name, msgspec.Raw, b"") for name in _FIELDS], forbid_unknown_fields=True)
)


@dataclass(frozen=True, slots=True)
class JsonParser:
    """Rows that are JSON texts."""

    misshapen: str

    def parsed(self, rows: Sequence[bytes | msgspec.Raw]) -> list[NewPassenger]:
        return _PASSENGERS.validate_json(b"[%b]" % b",".join(rows))

    def is_overfull(self, row: bytes | msgspec.Raw) -> bool:
        """Whether it has unknown fields, and may have hundreds of them: each would become a mistake of its own."""
        if bytes(row).count(b":") <= 2 * len(_FIELDS):
            return False
        try:
            _SHAPE.decode(row)
        except msgspec.ValidationError as error:  # of the first one
            return "unknown field" in str(error)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False  # no JSON at all, which is one mistake
        return False


@dataclass(frozen=True, slots=True)
class CellsParser:
    """Rows of named cells, read by the same rules as JSON, whose dates, ids and document numbers are text too."""

    misshapen: str

    def parsed(self, rows: Sequence[Any]) -> list[NewPassenger]:
        return _PASSENGERS.validate_python(rows)

    def is_overfull(self, _row: Any) -> bool:  # noqa: ANN401 - as JSON has it
        """Never: a header line has its columns."""
        return False
