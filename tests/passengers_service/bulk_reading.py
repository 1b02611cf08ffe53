"""What a reader makes of a body."""

from passengers_service.services.bulk.reader import RowReader
from passengers_service.services.bulk.validation import CheckedRows, checked
from tests.passengers_service.bulk_rows import JsonObject


def read(reader: RowReader, *pieces: bytes) -> CheckedRows:
    rows = [row for piece in pieces for row in reader.feed(piece)]
    return checked([*rows, *reader.end()], reader.parser, first=1, most_mistakes=1000)


def stored(rows: CheckedRows) -> list[JsonObject]:
    assert list(rows.mistakes) == []
    return [passenger.model_dump(mode="json", exclude={"id"}) for _, passenger in rows.passengers]


def told(rows: CheckedRows) -> list[tuple[int, str | None]]:
    return [(mistake.row, mistake.field) for mistake in rows.mistakes]


def numbers(rows: CheckedRows) -> list[int]:
    return [number for number, _ in rows.passengers]
