import csv
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passengers_service.services.bulk.csv_reader import BadHeaderLineError, CsvReader
from passengers_service.services.bulk.formats import UnknownFormatError, reader_for
from passengers_service.services.bulk.json_array import JsonArrayReader
from passengers_service.services.bulk.ndjson_reader import NdjsonReader
from passengers_service.services.bulk.reader import MAX_ROW_CHARACTERS, RowReader, UnfinishedBodyError, chunks_of
from service_kit.problems import MalformedRequestError
from tests.passengers_service.bulk_reading import numbers, read, stored, told
from tests.passengers_service.bulk_rows import COLUMNS, JsonObject, as_csv, as_json, as_ndjson, row_of

Writer = Callable[[Sequence[JsonObject]], bytes]

FORMATS: list[tuple[str, Writer]] = [
    ("application/x-ndjson", as_ndjson),
    ("application/json", as_json),
    ("text/csv", as_csv),
]
in_each_format = pytest.mark.parametrize(("content_type", "write"), FORMATS, ids=["ndjson", "json", "csv"])

AWKWARD = [
    row_of(1, first_name='Zoë "Zo"', last_name="O'Neil, y Núñez; hijo"),
    row_of(2, email=None, phone=None),
    row_of(3, first_name="李", last_name="😀 ß"),
]


@in_each_format
def test_reads_what_is_awkward_to_write(content_type: str, write: Writer) -> None:
    assert stored(read(reader_for(content_type), write(AWKWARD))) == AWKWARD


@in_each_format
@given(cuts=st.lists(st.integers(0, 700)))
def test_pieces_of_any_size_give_the_same_rows(content_type: str, write: Writer, cuts: list[int]) -> None:
    body = write(AWKWARD)
    places = [0, *sorted(cuts), len(body)]
    pieces = [body[start:end] for start, end in pairwise(places)]

    assert stored(read(reader_for(content_type), *pieces)) == AWKWARD


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=8, max_size=8)
    ),
    st.integers(1, 9),
)
def test_finds_the_cells_of_any_csv(table: list[list[str]], size: int) -> None:
    rows = [dict(zip(COLUMNS, cells, strict=True)) for cells in table if any(cells)]
    body, reader = as_csv(rows, quoting=csv.QUOTE_ALL), CsvReader()

    found = [row for start in range(0, len(body), size) for row in reader.feed(body[start : start + size])]

    assert [*found, *reader.end()] == [{name: cell for name, cell in row.items() if cell} for row in rows]


@in_each_format
def test_a_bom_is_no_part_of_the_first_row(content_type: str, write: Writer) -> None:
    body = b"\xef\xbb\xbf" + write(AWKWARD)

    assert stored(read(reader_for(content_type), body[:1], body[1:2], body[2:])) == AWKWARD


def test_windows_line_ends_and_empty_lines_are_no_rows() -> None:
    csv_body = as_csv(AWKWARD, lineterminator="\r\n") + b"\r\n,,,,,,,\r\n"
    ndjson_body = b"\r\n" + as_ndjson(AWKWARD).replace(b"\n", b"\r\n\r\n")

    assert stored(read(CsvReader(), csv_body)) == stored(read(NdjsonReader(), ndjson_body)) == AWKWARD


def test_the_last_line_may_lack_its_end() -> None:
    assert stored(read(CsvReader(), as_csv(AWKWARD).rstrip())) == AWKWARD
    assert stored(read(NdjsonReader(), as_ndjson(AWKWARD).rstrip())) == AWKWARD


@pytest.mark.parametrize(
    "body",
    [
        as_csv(AWKWARD, COLUMNS[::-1]),
        as_csv(AWKWARD, delimiter=";"),
        as_csv(AWKWARD).replace(b"document_type", b" Document_Type "),
        as_csv(AWKWARD, quoting=csv.QUOTE_ALL),
    ],
    ids=["another order", "semicolons", "another spelling", "all quoted"],
)
def test_reads_csv_as_spreadsheets_write_it(body: bytes) -> None:
    assert stored(read(CsvReader(), body)) == AWKWARD


def test_a_cell_may_have_line_breaks() -> None:
    rows = read(CsvReader(), as_csv([row_of(1), row_of(2, last_name="Peña\r\nRuiz"), row_of(3)]))

    assert (numbers(rows), told(rows)) == ([1, 3], [(2, "last_name")])


def test_reads_another_charset() -> None:
    body = as_csv([row_of(1)]).decode().encode("windows-1252")

    assert stored(read(reader_for("text/csv; charset=Windows-1252"), body)) == [row_of(1)]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (COLUMNS[1:-1], "lacks document_type, nationality"),
        ([*COLUMNS, "seat"], "names seat, which no passenger has"),
        ([*COLUMNS, "email"], "names email twice"),
        (["one line"], "lacks birth_date, document_number"),
    ],
)
def test_refuses_a_header_line_of_other_columns(columns: list[str], sentence: str) -> None:
    with pytest.raises(BadHeaderLineError, match=sentence):
        read(CsvReader(), ",".join(columns).encode() + b"\n")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (as_csv([row_of(1)]).decode().encode("windows-1252"), "not text in utf-8"),
        (as_csv([row_of(1)]).replace(b"passport", b'"pass"port'), "not CSV"),
        (as_csv([row_of(1)]) + b'"' + b"passport,1\n" * 9999, f"not end within {MAX_ROW_CHARACTERS}"),
    ],
    ids=["charset", "quotes", "open quote"],
)
def test_refuses_what_is_no_csv(body: bytes, sentence: str) -> None:
    with pytest.raises(MalformedRequestError, match=sentence):
        read(CsvReader(), body)


def test_a_row_with_too_few_cells_is_told() -> None:
    lines = as_csv([row_of(1), row_of(2), row_of(3)]).splitlines(keepends=True)
    lines[2] = lines[2].replace(b",ES", b"")

    rows = read(CsvReader(), b"".join(lines))

    assert (numbers(rows), told(rows)) == ([1, 3], [(2, None)])
    assert rows.mistakes[0].reason == CsvReader.parser.misshapen


@pytest.mark.parametrize(
    ("reader", "body"),
    [
        (NdjsonReader(), as_ndjson(AWKWARD)[:-40]),
        (CsvReader(), as_csv(AWKWARD)[:-20]),
        (CsvReader(), as_csv(AWKWARD)[: as_csv(AWKWARD).index(b"O'Neil")]),
    ],
    ids=["ndjson", "csv", "csv in quotes"],
)
def test_half_a_row_at_the_end_is_no_row(reader: RowReader, body: bytes) -> None:
    with pytest.raises(UnfinishedBodyError):
        read(reader, body)


@pytest.mark.parametrize(
    "body",
    [as_json(AWKWARD)[:-40], as_json(AWKWARD)[:-1], b'{"rows": []}', as_ndjson(AWKWARD), b"", b"\xff", b"[" * 99_999],
    ids=["half", "no end", "object", "lines", "nothing", "no text", "deep"],
)
def test_refuses_what_is_no_json_array(body: bytes) -> None:
    with pytest.raises(MalformedRequestError, match="not one whole JSON array"):
        read(JsonArrayReader(), body)


BAD_ROWS: list[tuple[bytes, str | None]] = [
    (b'{"document_type": "passport"}', "document_number"),
    (b"[1, 2]", None),
    (b'{"first_name": ', None),
    (as_json([row_of(2), row_of(3)])[1:-1], None),
    (b'{"first_name": "\\ud800"}', None),
    (as_ndjson([row_of(2, first_name="A\0B")]).rstrip(), "first_name"),
    (as_ndjson([row_of(2, birth_date="1990-02-30")]).rstrip(), "birth_date"),
    (as_ndjson([row_of(2, shoe_size=43)]).rstrip(), "shoe_size"),
    (as_ndjson([row_of(2, id="4b7ad4e3-5c27-4d70-a8c8-0e1d5a2f0c11")]).rstrip(), "id"),
]


@pytest.mark.parametrize(("line", "field"), BAD_ROWS)
def test_a_bad_row_in_the_middle_is_told_and_leaves_the_others(line: bytes, field: str | None) -> None:
    lines = as_ndjson([row_of(number) for number in range(5)]).splitlines()

    rows = read(NdjsonReader(), b"\n".join([*lines[:2], line, *lines[2:]]))

    assert numbers(rows) == [1, 2, 4, 5, 6]
    assert (3, field) in told(rows)
    assert {mistake.row for mistake in rows.mistakes} == {3}


def test_a_value_cannot_hide_in_two_lines() -> None:
    first, second = as_ndjson([row_of(1)]).rstrip().split(b", ", 1)

    rows = read(NdjsonReader(), first + b"\n" + second + b"\n" + as_ndjson([row_of(2)]))

    assert (numbers(rows), told(rows)) == ([3], [(1, None), (2, None)])


def test_each_mistake_has_a_sentence() -> None:
    mistakes = read(CsvReader(), as_csv([row_of(1, birth_date="17/05/1990", nationality="Spain")])).mistakes

    assert {mistake.field: mistake.reason for mistake in mistakes} == {
        "birth_date": "Write a day from 1900-01-01 to yesterday, like 1990-05-17",
        "nationality": "A country is two capital letters of ISO 3166-1, like ES",
    }


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/xml", "text/csv; charset=utf-7", "nonsense"])
def test_other_formats_are_refused(content_type: str) -> None:
    with pytest.raises(UnknownFormatError, match="text/csv"):
        reader_for(content_type)


def test_a_compressed_body_is_refused() -> None:
    with pytest.raises(UnknownFormatError, match="uncompressed"):
        reader_for("text/csv", "gzip")


@in_each_format
async def test_chunks_hold_at_most_five_hundred_rows(content_type: str, write: Writer) -> None:
    body = write([row_of(number) for number in range(2500)])

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    assert [len(rows) async for rows in chunks_of(pieces(), reader_for(content_type))] == [500] * 5
