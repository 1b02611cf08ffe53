"""What the three formats of a load have in common: pieces of a body go in, rows come out.

A reader only cuts the body where its rows end; a parser (`parsers.py`) reads what is in a row.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, Protocol

from passengers_service.models.passenger import NewPassenger
from service_kit.problems import MalformedRequestError

MAX_ROW_CHARACTERS: Final = 16_384
"""Three times the size of a passenger in which every character is escaped."""
CHUNK_ROWS: Final = 500
CHUNK_BYTES: Final = 1_048_576
"""Greatest size that is checked at once. It takes about ten milliseconds, in which the event loop is blocked."""

BOM: Final = b"\xef\xbb\xbf"

Row = Any
"""As a reader makes it, for the parser of its format."""


class RowParser(Protocol):
    """Makes passengers of the rows of one format."""

    @property
    def misshapen(self) -> str:
        """What is wrong with a row that holds no object at all."""

    def parsed(self, rows: Sequence[Row]) -> list[NewPassenger]:
        """The passengers of rows.

        Raises:
            ValidationError: At least one of them is not as it should be: the first, with all of its mistakes.
        """

    def is_overfull(self, row: Row) -> bool:
        """Whether a bad row has too many unknown fields to report each of them."""


class RowReader(Protocol):
    """Cuts one body of one format."""

    @property
    def parser(self) -> RowParser:
        """That of the format."""

    def feed(self, piece: bytes) -> Sequence[Row]:
        """The rows that end in this piece of the body.

        Raises:
            MalformedRequestError: No row can be found here (400).
        """

    def end(self) -> Sequence[Row]:
        """The rows that have waited for the end of the body.

        Raises:
            MalformedRequestError: It has ended in the middle of a row (400).
        """


class UnfinishedBodyError(MalformedRequestError):
    """The body ends in the middle of a row: it was cut off. Nothing of it was stored."""

    code = "body-unfinished"

    def __init__(self) -> None:
        super().__init__("The body ends in the middle of a row. Nothing of it was stored: send it again, whole.")


def require_short(unfinished: str | bytes) -> None:
    """Refuse a row that does not end.

    Raises:
        MalformedRequestError: It would be longer than any row needs (400).
    """
    if len(unfinished) > MAX_ROW_CHARACTERS:
        raise MalformedRequestError(
            f"A row does not end within {MAX_ROW_CHARACTERS} characters. Perhaps a quotation mark is not closed, "
            "or the Content-Type is not that of the body."
        )


async def chunks_of(body: AsyncIterator[bytes], reader: RowReader) -> AsyncIterator[Sequence[Row]]:
    """Yield all rows of a body, at most `CHUNK_ROWS` at once, and at most those in `CHUNK_BYTES` and one piece."""
    waiting: list[Row] = []
    waiting_bytes = 0
    async for piece in body:
        waiting += reader.feed(piece)
        waiting_bytes += len(piece)
        while len(waiting) >= CHUNK_ROWS or (waiting and waiting_bytes >= CHUNK_BYTES):
            yield waiting[:CHUNK_ROWS]
            del waiting[:CHUNK_ROWS]
            waiting_bytes = 0
    waiting += reader.end()
    for start in range(0, len(waiting), CHUNK_ROWS):
        yield waiting[start : start + CHUNK_ROWS]
