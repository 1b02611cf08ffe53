"""The result of a load: the counts of its rows, or why nothing was stored."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from pydantic import BaseModel, Field

from passengers_service.services.bulk.validation import RejectedRow
from service_kit.problems import ServiceError

LISTED_MISTAKES: Final = 1_000


class NoRowsError(ServiceError):
    """The load has no row."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "no-rows"

    def __init__(self) -> None:
        super().__init__("The body holds no row. Send at least one passenger.")


class RejectedRowsError(ServiceError):
    """At least one row is not as it should be, and the load is strict: nothing was stored."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "rejected-rows"


class LoadResult(BaseModel):
    """What has become of the rows of a load; the five counts belong to rows, not to mistakes."""

    received: int = Field(description="created + updated + unchanged + rejected_count.")
    created: int
    updated: int
    unchanged: int = Field(description="They were there already, with the same values.")
    rejected_count: int
    rejected: list[RejectedRow] = Field(description=f"What is wrong with them, the first {LISTED_MISTAKES} mistakes.")

    @property
    def room(self) -> int:
        """How many more mistakes can be listed."""
        return LISTED_MISTAKES - len(self.rejected)

    def reject(self, mistakes: Sequence[RejectedRow], rows: int) -> None:
        """Note mistakes, and the number of their rows."""
        self.rejected_count += rows
        self.rejected += mistakes[: self.room]

    def require_good(self) -> None:
        """Refuse a strict load that has a bad row.

        Raises:
            RejectedRowsError: With what is wrong with them (422).
        """
        if self.rejected_count:
            raise RejectedRowsError(
                f"{self.rejected_count} of {self.received} rows were rejected, so nothing was stored. "
                "Correct them, or send Prefer: handling=lenient to store the others.",
                **self.model_dump(include={"received", "rejected_count"}),
                rejected=[mistake.model_dump() for mistake in sorted(self.rejected, key=_row)],
            )

    def finish(self) -> None:
        """Count those that have changed nothing, and put the mistakes in the order of the rows."""
        self.unchanged = self.received - self.created - self.updated - self.rejected_count
        self.rejected.sort(key=_row)


def _row(rejected: RejectedRow) -> int:
    return rejected.row
