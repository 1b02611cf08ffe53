"""Checks the rows of a load: which of them are passengers, and what is wrong with the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from passengers_service.models.passenger import NewPassenger
from passengers_service.services.bulk.reader import Row, RowParser

_NO_OBJECT: Final = "model_type"
_NO_JSON: Final = "json_invalid"
_SHOWN_CHARACTERS: Final = 100
_OVERFULL: Final = "It has many fields that no passenger has"


class RejectedRow(BaseModel):
    """One mistake in one row of a load."""

    row: int = Field(description="Which row of the data: the first is 1; a header line does not count.", examples=[17])
    field: str | None = Field(description="Null if it is the row as a whole.", examples=["birth_date"])
    reason: str = Field(description="A sentence.", examples=["This day does not exist"])


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """Rows of a load.

    Attributes:
        passengers: Each with the number of its row.
        mistakes: In the order of the rows, all mistakes of each row; none once the limit is reached.
    """

    passengers: Sequence[tuple[int, NewPassenger]]
    mistakes: Sequence[RejectedRow]


def checked(rows: Sequence[Row], parser: RowParser, *, first: int, most_mistakes: int) -> CheckedRows:
    """Check some rows of a load.

    Args:
        rows: Some rows of the load.
        parser: That of its format.
        first: Number of the first of these rows.
        most_mistakes: Greatest number of mistakes to list; further bad rows are only counted.
    """
    try:
        passengers = parser.parsed(rows)
    except ValidationError:
        return _one_by_one(rows, parser, first, most_mistakes)
    if len(passengers) != len(rows):  # a line of NDJSON held several objects, or half of one
        return _one_by_one(rows, parser, first, most_mistakes)
    return CheckedRows(list(enumerate(passengers, first)), [])


def _one_by_one(rows: Sequence[Row], parser: RowParser, first: int, most_mistakes: int) -> CheckedRows:
    """Check each row by itself: in JSON, a row that is not an object shifts the positions of the others."""
    passengers: list[tuple[int, NewPassenger]] = []
    mistakes: list[RejectedRow] = []
    for number, row in enumerate(rows, first):
        found = _passenger_of(row, parser)
        if isinstance(found, NewPassenger):
            passengers.append((number, found))
        elif len(mistakes) < most_mistakes:
            mistakes += _mistakes(number, found, parser)
    return CheckedRows(passengers, mistakes)


def _passenger_of(row: Row, parser: RowParser) -> NewPassenger | ValidationError | str:
    """The passenger of a row, or what is wrong with it."""
    if parser.is_overfull(row):
        return _OVERFULL
    try:
        found = parser.parsed([row])
    except ValidationError as error:
        return error
    return found[0] if len(found) == 1 else parser.misshapen


def _mistakes(number: int, found: ValidationError | str, parser: RowParser) -> list[RejectedRow]:
    if isinstance(found, str):
        return [RejectedRow(row=number, field=None, reason=found)]
    return [_told(number, one, parser) for one in found.errors(include_url=False, include_input=False)]


def _told(number: int, mistake: ErrorDetails, parser: RowParser) -> RejectedRow:
    if mistake["type"] == _NO_OBJECT:
        return RejectedRow(row=number, field=None, reason=parser.misshapen)
    if mistake["type"] == _NO_JSON:
        return RejectedRow(row=number, field=None, reason=f"{parser.misshapen}. {mistake['msg']}")
    field = ".".join(str(part) for part in mistake["loc"][1:])[:_SHOWN_CHARACTERS] or None
    return RejectedRow(row=number, field=field, reason=mistake["msg"].removeprefix("Value error, "))
