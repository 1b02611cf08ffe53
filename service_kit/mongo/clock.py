"""MongoDB's own clock: times that one process stores and another compares, since their own clocks may be hours apart.

An insert cannot ask for the server's time, so it is computed from the server's last answer and a monotonic clock. That
answer was given between question and receipt, hence the two bounds, which are one round trip apart.
"""

from datetime import UTC, datetime, timedelta
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

from service_kit.problems import StoreUnavailableError

if TYPE_CHECKING:  # whose store has such a clock
    from service_kit.mongo.client import MongoDatabase

_FRESH_SECONDS: Final = 1.0
"""Greatest age of the server's last answer; a clock that is set there is noticed after this time."""


class ServerClock:
    """The clock of the server of a database."""

    def __init__(self, database: "MongoDatabase") -> None:
        self._database = database
        self._answer: datetime | None = None
        self._asked = self._answered = -inf

    async def ask(self) -> None:
        """Ask the server, once.

        Raises:
            PyMongoError: It does not answer.
        """
        asked = monotonic()
        hello = await self._database.command("hello")
        self._asked, self._answered = asked, monotonic()
        self._answer = hello["localTime"].replace(tzinfo=UTC)

    async def fresh(self) -> Self:
        """This clock, after asking the server if its last answer is older than a second."""
        if monotonic() - self._asked > _FRESH_SECONDS:
            await self.ask()
        return self

    def at_least(self) -> datetime:
        """A lower bound of the server's time."""
        return self._reckoned(self._answered)

    def at_most(self) -> datetime:
        """An upper bound of the server's time."""
        return self._reckoned(self._asked)

    def _reckoned(self, since: float) -> datetime:
        if self._answer is None:
            raise StoreUnavailableError
        return self._answer + timedelta(seconds=monotonic() - since)
