"""A service's database as the service holds it: usable once it is prepared, which is tried until it succeeds.

The service starts without waiting for the server; until then every use is a 503, because a write without the newest
indexes and constraints could store what they forbid. A database that turns out to be another one is prepared again.
"""

import asyncio
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from service_kit.background import end_process, repeating
from service_kit.problems import StoreUnavailableError
from service_kit.resources import Resource

log = structlog.get_logger()

_REFUSED: Final = 2
_NO_ANSWER: Final = StoreUnavailableError().detail


class WrongDatabaseError(Exception):
    """The database is another service's; trying again does not help."""


class Store(Resource, ABC):
    """One database of one server.

    Args:
        server: What the log calls it.
        database: Its name.
    """

    def __init__(self, server: str, database: str) -> None:
        self._names = {"server": server, "database": database}
        self._prepared = False
        self._obstacle = _NO_ANSWER
        self._doubted = asyncio.Event()

    @abstractmethod
    async def _prepare(self) -> None:
        """Make of the database what the code needs; harmless when it is so already."""

    @abstractmethod
    async def _ask(self) -> None:
        """Ask the server something; an error says that it does not answer."""

    @abstractmethod
    async def _close(self) -> None:
        """Close the connections."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Prepare in the background while the block runs; close the connections after it."""
        try:
            async with repeating(self._keep_prepared, failure="store_not_prepared", about=self._names):
                yield
        finally:
            await self._close()

    async def prepare(self) -> None:
        """Make of the database what the code needs; harmless when it is so already."""
        await self._prepare()
        self._prepared = True

    def invalidate(self) -> None:
        """Prepare again: what the code needs is not there any more."""
        self._prepared = False
        self._doubted.set()

    async def _keep_prepared(self) -> None:
        self._doubted.clear()
        if not self._prepared:
            await self._prepare_or_say_why_not()
            log.info("store_prepared", **self._names)
        await self._watch()

    async def _prepare_or_say_why_not(self) -> None:
        try:
            await self.prepare()
        except WrongDatabaseError as error:
            print(f"Cannot start: {error}.", file=sys.stderr)
            end_process(_REFUSED)
            await asyncio.Event().wait()
        except Exception as error:
            self._obstacle = error.detail if isinstance(error, StoreUnavailableError) else _NO_ANSWER
            raise

    async def _watch(self) -> None:
        """Return once it is doubted that the database is still as it was prepared."""
        await self._doubted.wait()

    def require_prepared(self) -> None:
        """Refuse to go on before the database is as the code says.

        Raises:
            StoreUnavailableError: It is not yet (503).
        """
        if not self._prepared:
            raise StoreUnavailableError

    async def ping(self) -> None:
        """Ask the server, for `/health/ready`.

        Raises:
            StoreUnavailableError: It is not prepared; with a sentence of its own if somebody has to do something.
            Exception: Its driver's, if it does not answer.
        """
        await self._ask()
        if not self._prepared:
            raise StoreUnavailableError(self._obstacle)
