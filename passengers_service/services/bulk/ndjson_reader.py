"""Rows as `application/x-ndjson`: one JSON object a line."""

from pydantic_core import from_json

from passengers_service.services.bulk.parsers import JsonParser
from passengers_service.services.bulk.reader import BOM, UnfinishedBodyError, require_short


class NdjsonReader:
    """Cuts lines; empty ones are ignored, the last one may lack its end."""

    parser = JsonParser("A row is one JSON object on a line of its own")

    def __init__(self) -> None:
        self._unfinished = b""
        self._at_start = True

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that end in this piece."""
        lines = (self._unfinished + piece).split(b"\n")
        self._unfinished = lines.pop()
        require_short(self._unfinished)
        return self._rows(lines)

    def end(self) -> list[bytes]:
        """The last line, if it is complete: a body that was cut off must not count as a shorter one."""
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
