"""Rows in JSON: how one object a line (NDJSON) is cut, and what is in a row. `json_array.py` cuts an array."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Final

import msgspec
from pydantic import FailFast, TypeAdapter
from pydantic_core import from_json

from passengers_service.models.passenger import NewPassenger
from passengers_service.services.bulk.reader import BOM, UnfinishedBodyError, require_short

# At the first bad row it stops: which others are bad is asked row by row, so that no heap of mistakes is ever made.
_PASSENGERS: Final = TypeAdapter(Annotated[list[NewPassenger], FailFast()])
_FIELDS: Final = tuple(NewPassenger.model_fields)
_SHAPE: Final = msgspec.json.Decoder(
    msgspec.defstruct("Shape", [(name, msgspec.Raw, b"") for name in _FIELDS], forbid_unknown_fields=True)
)


class JsonRows:
    """What is done with rows once they are cut out of a body in JSON."""

    def parsed(self, rows: Sequence[bytes | msgspec.Raw]) -> list[NewPassenger]:
        """The passengers of rows."""
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


class NdjsonReader(JsonRows):
    """Rows as `application/x-ndjson`; empty lines count for nothing, the last line may lack its end."""

    misshapen: ClassVar[str] = "A row is one JSON object on a line of its own"

    def __init__(self) -> None:
        self._unfinished = b""
        self._at_start = True

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that end here."""
        lines = (self._unfinished + piece).split(b"\n")
        self._unfinished = lines.pop()
        require_short(self._unfinished)
        return self._rows(lines)

    def end(self) -> list[bytes]:
        """The last line, if it is whole: a body that was cut off is not taken for a shorter one."""
        rows = self._rows([self._unfinished])
        for row in rows:
            _require_whole(row)
        return rows

    def _rows(self, lines: list[bytes]) -> list[bytes]:
        if self._at_start and lines:
            lines[0], self._at_start = lines[0].removeprefix(BOM), False
        rows = [line for line in lines if line and not line.isspace()]
        require_short(max(rows, key=len, default=b""))
        return rows


def _require_whole(row: bytes) -> None:
    try:
        from_json(row)
    except ValueError:
        raise UnfinishedBodyError from None
