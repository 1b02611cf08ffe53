"""MongoDB's own clock: what one process writes and another compares goes by it, since theirs may be hours apart.

An insert cannot ask for the server's time: it is reckoned from the server's last answer by a clock that only goes on.
That was given some time between question and receipt: hence two bounds, which lie a round trip apart.
"""

from datetime import UTC, datetime, timedelta
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

from service_kit.problems import StoreUnavailableError

if TYPE_CHECKING:  # whose store has such a clock
    from service_kit.mongo.client import MongoDatabase

_FRESH_SECONDS: Final = 1.0
"""A server whose clock is set is believed after this time at the latest."""


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
        """This clock; the server is asked if that was not done within the last second."""
        if monotonic() - self._asked > _FRESH_SECONDS:
            await self.ask()
        return self

    def at_least(self) -> datetime:
        """The server's clock shows this or later."""
        return self._reckoned(self._answered)

    def at_most(self) -> datetime:
        """The server's clock shows this or earlier."""
        return self._reckoned(self._asked)

    def _reckoned(self, since: float) -> datetime:
        if self._answer is None:
            raise StoreUnavailableError
        return self._answer + timedelta(seconds=monotonic() - since)
