"""A file of passengers in parts that each are a whole body for the bulk route: cut between rows, never in one."""

import csv
import io
import mmap
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from typing import Final, TextIO

import msgspec


class Format(StrEnum):
    """How a file is written."""

    json = "json"
    ndjson = "ndjson"
    csv = "csv"


SUFFIXES: Final = {".json": Format.json, ".ndjson": Format.ndjson, ".jsonl": Format.ndjson, ".csv": Format.csv}
CONTENT_TYPES: Final = {
    Format.json: "application/json",
    Format.ndjson: "application/x-ndjson",
    Format.csv: "text/csv; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a file.

    Attributes:
        body: As a request sends it.
        rows: How many.
        end_bytes: Where in the file they end, roughly.
    """

    body: bytes
    rows: int
    end_bytes: int


class UnreadableFileError(ValueError):
    """The file is not what its name says."""


def parts_of(path: Path, written: Format, rows: int, *, encoding: str = "utf-8-sig") -> Iterator[Part]:
    """Parts of up to `rows` rows each.

    Raises:
        UnreadableFileError: No rows can be told apart in it.
        OSError: It cannot be read.
    """
    if written is Format.csv:
        return _csv_parts(path, rows, encoding)
    return _json_parts(path, rows) if written is Format.json else _ndjson_parts(path, rows)


def _ndjson_parts(path: Path, rows: int) -> Iterator[Part]:
    with path.open("rb") as file:
        lines = (line for line in file if not line.isspace())
        while part := list(islice(lines, rows)):
            yield Part(b"".join(part), len(part), file.tell())


def _csv_parts(path: Path, rows: int, encoding: str) -> Iterator[Part]:
    with path.open("rb") as file, io.TextIOWrapper(file, encoding, newline="") as text:
        try:
            records = (record for record in _records(text) if any(record))
            header = next(records, None)
            while header and (part := list(islice(records, rows))):
                yield Part(_csv_body(chain([header], part)), len(part), file.tell())
        except (csv.Error, UnicodeDecodeError) as error:
            raise UnreadableFileError(f"{path} is not CSV in {encoding.removesuffix('-sig')}: {error}.") from None


def _records(text: TextIO) -> Iterator[list[str]]:
    first = text.readline()
    delimiter = ";" if ";" in first and "," not in first else ","
    return csv.reader(chain([first], text), delimiter=delimiter, strict=True)


def _csv_body(records: Iterator[list[str]]) -> bytes:
    body = io.StringIO(newline="")
    csv.writer(body).writerows(records)
    return body.getvalue().encode()


def _json_parts(path: Path, rows: int) -> Iterator[Part]:
    """The array is mapped, not read; its rows are found in one go, and stay where they are."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return
        with closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as mapped:
            text = memoryview(mapped)
            try:
                found = _decoded(path, text)
                for start in range(0, len(found), rows):
                    part = found[start : start + rows]
                    end_bytes = len(mapped) * (start + len(part)) // len(found)
                    yield Part(b"[%b]" % b",".join(part), len(part), end_bytes)
            finally:
                found = part = []
                text.release()


def _decoded(path: Path, text: memoryview) -> list[msgspec.Raw]:
    try:
        return msgspec.json.decode(text, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableFileError(f"{path} is not one JSON array of objects: {error}.") from None
