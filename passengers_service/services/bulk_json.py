"""Rows in JSON: one object a line (NDJSON), or one array of objects."""

from collections.abc import Sequence
from typing import ClassVar, Final

import msgspec
from pydantic import TypeAdapter
from pydantic_core import from_json

from passengers_service.models.passenger import NewPassenger
from passengers_service.services.bulk_rows import BOM, UnfinishedBodyError, require_short
from service_kit.problems import MalformedRequestError

_PASSENGERS: Final = TypeAdapter(list[NewPassenger])
_ROWS: Final = msgspec.json.Decoder(list[msgspec.Raw])


def _parsed(rows: Sequence[bytes | msgspec.Raw]) -> list[NewPassenger]:
    return _PASSENGERS.validate_json(b"[%b]" % b",".join(rows))


class NdjsonReader:
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
        return [line for line in lines if line and not line.isspace()]

    parsed = staticmethod(_parsed)


class JsonArrayReader:
    """Rows as `application/json`: the body is kept until its end, so it has to be bounded."""

    misshapen: ClassVar[str] = "A row is one JSON object"

    def __init__(self) -> None:
        self._body = bytearray()

    def feed(self, piece: bytes) -> list[msgspec.Raw]:
        """Keep it."""
        self._body += piece
        return []

    def end(self) -> list[msgspec.Raw]:
        """All rows, not yet read."""
        try:
            return _ROWS.decode(self._body.removeprefix(BOM))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise MalformedRequestError(f"The body is not one whole JSON array of objects: {error}.") from None

    parsed = staticmethod(_parsed)


def _require_whole(row: bytes) -> None:
    try:
        from_json(row)
    except ValueError:
        raise UnfinishedBodyError from None
