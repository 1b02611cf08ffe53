"""Rows as `text/csv` (RFC 4180): a header line names the columns, in any order.

Also accepts what spreadsheets write: a BOM, Windows line ends, and semicolons instead of commas.
"""

import codecs
import csv
import io
from collections.abc import Collection
from typing import Any, Final

from passengers_service.models.passenger import NewPassenger
from passengers_service.services.bulk.parsers import CellsParser
from passengers_service.services.bulk.reader import UnfinishedBodyError, require_short
from service_kit.problems import MalformedRequestError

CHARSETS: Final = {"utf-8": "utf-8-sig", "us-ascii": "ascii", "iso-8859-1": "iso-8859-1", "windows-1252": "cp1252"}
"""The charsets that the Content-Type may name, and what Python calls them."""

COLUMNS: Final = tuple(NewPassenger.model_fields)
_NEEDED: Final = [name for name in COLUMNS if name != "id"]


class BadHeaderLineError(MalformedRequestError):
    """The header line of the CSV names too few columns, or others than those of a passenger."""

    code = "bad-header-line"


class CsvReader:
    """Reads CSV; an empty cell is an absent value, a line of empty cells no row."""

    parser = CellsParser("The row has another number of cells than the header line")

    def __init__(self, charset: str = "utf-8") -> None:
        self._decoder = codecs.getincrementaldecoder(CHARSETS[charset])()
        self._unfinished = ""
        self._is_quoted = False
        self._columns: list[str] = []
        self._delimiter = ","

    def feed(self, piece: bytes) -> list[Any]:
        """The records that end in this piece."""
        return self._records(self._cut(self._decoded(piece)))

    def end(self) -> list[Any]:
        """The last record. It may lack its line end; if it lacks cells, the body was cut off."""
        last, self._unfinished = self._unfinished + self._decoded(b"", final=True), ""
        if self._is_quoted:
            raise UnfinishedBodyError
        rows = self._records(last)
        if any(isinstance(row, list) for row in rows):
            raise UnfinishedBodyError
        return rows

    def _decoded(self, piece: bytes, *, final: bool = False) -> str:
        try:
            return self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            raise MalformedRequestError(
                f"The body is not text in {error.encoding}. Name its charset, as in Content-Type: text/csv; "
                f"charset=windows-1252; it is one of {', '.join(CHARSETS)}."
            ) from None

    def _cut(self, text: str) -> str:
        """Everything up to the last line end outside of quotation marks; the rest is kept."""
        parts = text.split('"')
        whole = 0
        for place in reversed(range(self._is_quoted, len(parts), 2)):  # the parts outside quotation marks
            if (line_end := parts[place].rfind("\n")) >= 0:
                whole = sum(len(part) + 1 for part in parts[:place]) + line_end + 1
                break
        self._is_quoted ^= len(parts) % 2 == 0
        records = self._unfinished + text[:whole] if whole else ""
        self._unfinished = text[whole:] if whole else self._unfinished + text
        require_short(self._unfinished)
        return records

    def _records(self, text: str) -> list[Any]:
        if not self._columns and text.strip():
            self._delimiter = ";" if _prefers_semicolons(text) else ","
        try:
            # `newline=""`: line ends inside of quotation marks are the cell's own.
            records = [cells for cells in csv.reader(io.StringIO(text, newline=""), **self._dialect) if any(cells)]
        except csv.Error as error:
            raise MalformedRequestError(f"The body is not CSV as in RFC 4180: {error}.") from None
        if records and not self._columns:
            self._columns = _columns_of(records.pop(0))
        return [self._row(cells) for cells in records]

    @property
    def _dialect(self) -> dict[str, Any]:
        return {"delimiter": self._delimiter, "strict": True}

    def _row(self, cells: list[str]) -> dict[str, str] | list[str]:
        """The cells by column; an empty list, which is no passenger, if their number is wrong."""
        if len(cells) != len(self._columns):
            return []
        return {column: cell for column, cell in zip(self._columns, cells, strict=True) if cell}


def _prefers_semicolons(text: str) -> bool:
    header = text.lstrip().partition("\n")[0]
    return ";" in header and "," not in header


def _columns_of(cells: list[str]) -> list[str]:
    columns = [cell.strip().lower() for cell in cells]
    _require_none("lacks {}", [name for name in _NEEDED if name not in columns])
    _require_none("names {}, which no passenger has", [name for name in columns if name not in COLUMNS])
    _require_none("names {} twice", {name for name in columns if columns.count(name) > 1})
    return columns


def _require_none(sentence: str, columns: Collection[str]) -> None:
    if columns:
        mistake = sentence.format(", ".join(sorted(column[:50] for column in columns)))
        raise BadHeaderLineError(
            f"The header line {mistake}. It names {', '.join(_NEEDED)}, in any order, and may name id."
        )
