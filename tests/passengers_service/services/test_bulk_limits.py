"""What the rows of a hostile load may cost."""

import tracemalloc
from collections.abc import AsyncIterator

import pytest

from passengers_service.services.bulk.csv_reader import CsvReader
from passengers_service.services.bulk.json_array import JsonArrayReader
from passengers_service.services.bulk.ndjson_reader import NdjsonReader
from passengers_service.services.bulk.reader import RowReader, chunks_of
from passengers_service.services.bulk.validation import checked
from service_kit.problems import MalformedRequestError
from tests.passengers_service.bulk_reading import numbers, read, told
from tests.passengers_service.bulk_rows import JsonObject, as_csv, as_json, as_ndjson, row_of


@pytest.mark.parametrize(
    ("reader", "body"), [(JsonArrayReader(), b"[" + b"1," * 4_000_000 + b"1]"), (NdjsonReader(), b"1\n" * 4_000_000)]
)
async def test_what_is_kept_of_a_body_is_small_whatever_its_rows_are(reader: RowReader, body: bytes) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    tracemalloc.start()
    rows = 0
    async for chunk in chunks_of(pieces(), reader):
        rows += len(chunk)
        if rows > 100_000:  # as a load does
            break
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak_bytes < 20_000_000


@pytest.mark.parametrize("reader", [JsonArrayReader(), NdjsonReader()])
def test_a_row_with_hundreds_of_fields_is_one_mistake(reader: RowReader) -> None:
    rows: list[JsonObject] = [row_of(1), row_of(2, **{f"field_{place}": place for place in range(900)}), row_of(3)]

    found = read(reader, as_json(rows) if isinstance(reader, JsonArrayReader) else as_ndjson(rows))

    assert (numbers(found), told(found)) == ([1, 3], [(2, None)])


def test_colons_in_names_are_no_fields() -> None:
    assert numbers(read(NdjsonReader(), as_ndjson([row_of(1, first_name=":" * 99), row_of(2, email="nobody")]))) == [1]


def test_no_more_mistakes_are_told_than_are_wanted() -> None:
    reader = NdjsonReader()
    rows = reader.feed(as_ndjson([row_of(number, email="nobody") for number in range(10)]))

    found = checked(rows, reader.parser, first=1, most_mistakes=3)

    assert (len(found.mistakes), found.passengers) == (3, [])


@pytest.mark.parametrize("reader", [JsonArrayReader(), NdjsonReader(), CsvReader()])
def test_refuses_a_row_that_is_longer_than_any_passenger(reader: RowReader) -> None:
    write = {JsonArrayReader: as_json, NdjsonReader: as_ndjson, CsvReader: as_csv}[type(reader)]

    with pytest.raises(MalformedRequestError, match="does not end within"):
        read(reader, write([row_of(1, first_name="A" * 20_000)])[:19_000])
