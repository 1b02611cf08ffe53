import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from passengers_service.commands.load_parts import CONTENT_TYPES, Format, UnreadableFileError, parts_of
from passengers_service.services.bulk.formats import reader_for
from passengers_service.services.bulk.validation import checked
from tests.passengers_service.bulk_rows import JsonObject, as_csv, as_json, as_ndjson, row_of


def read(body: bytes, written: Format) -> list[JsonObject]:
    reader = reader_for(CONTENT_TYPES[written])
    found = checked([*reader.feed(body), *reader.end()], reader.parser, first=1, most_mistakes=1000)
    return [passenger.model_dump(mode="json", exclude={"id"}) for _, passenger in found.passengers]


def indented(rows: Sequence[JsonObject]) -> bytes:
    return json.dumps(rows, indent=2).encode()


@pytest.mark.parametrize(
    ("written", "write"),
    [(Format.json, as_json), (Format.json, indented), (Format.ndjson, as_ndjson), (Format.csv, as_csv)],
)
@pytest.mark.parametrize("rows", [1, 3, 10, 99])
def test_all_rows_are_in_parts_that_are_whole(
    tmp_path: Path, written: Format, write: Callable[[Sequence[JsonObject]], bytes], rows: int
) -> None:
    rows_of_file = [row_of(number, last_name=f"Núñez, el {number}", email=None) for number in range(10)]
    file = tmp_path / "passengers"
    file.write_bytes(write(rows_of_file))

    parts = list(parts_of(file, written, rows))

    assert [part.rows for part in parts] == [min(rows, 10 - start) for start in range(0, 10, rows)]
    assert [row for part in parts for row in read(part.body, written)] == rows_of_file
    assert parts[-1].end_bytes == file.stat().st_size


def test_a_record_of_several_lines_is_not_cut(tmp_path: Path) -> None:
    file = tmp_path / "passengers.csv"
    file.write_bytes(b"\xef\xbb\xbf" + as_csv([row_of(1, last_name='a\r\n"b"\n'), row_of(2)], delimiter=";"))

    parts = [part.body.decode() for part in parts_of(file, Format.csv, 1)]

    assert [next(csv.DictReader(io.StringIO(part, newline="")))["last_name"] for part in parts] == [
        'a\r\n"b"\n',
        "Peña Ruiz",
    ]


def test_another_encoding_is_sent_as_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "passengers.csv"
    file.write_bytes(as_csv([row_of(1)]).decode().encode("windows-1252"))

    parts = list(parts_of(file, Format.csv, 5, encoding="windows-1252"))

    assert read(parts[0].body, Format.csv) == [row_of(1)]


@pytest.mark.parametrize("written", Format)
def test_an_empty_file_has_no_parts(tmp_path: Path, written: Format) -> None:
    file = tmp_path / "passengers"
    file.write_bytes(b"")

    assert list(parts_of(file, written, 5)) == []


@pytest.mark.parametrize(
    ("written", "body"), [(Format.json, b"[{}, "), (Format.csv, b'a,b\n"open'), (Format.csv, "a\nñ".encode("cp1252"))]
)
def test_what_is_no_such_file_is_told(tmp_path: Path, written: Format, body: bytes) -> None:
    file = tmp_path / "passengers"
    file.write_bytes(body)

    with pytest.raises(UnreadableFileError, match=str(file)):
        list(parts_of(file, written, 5))
