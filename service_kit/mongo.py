"""MongoDB: the one place that makes Motor's client.

Motor's end of life was 2026-05-14; nothing else imports it, so that moving to PyMongo's own asynchronous client changes
this module alone. Source: docs/decisions/0001-motor-and-its-end-of-life.md
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import structlog
from beanie import Document, init_beanie
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import errors

from service_kit.problems import ErrorTranslations, StoreUnavailableError
from service_kit.settings import MongoSettings

log = structlog.get_logger()

_SELECTION_MS: Final = 2_000
_ANSWER_MS: Final = 10_000
_PREPARE_AGAIN_SECONDS: Final = 1.0
_REASON_CHARACTERS: Final = 400
_BAD_ADDRESS: Final = (
    "Cannot start: MONGODB_URI: write it as mongodb://USER:PASSWORD@HOST:PORT, special characters percent-encoded."
)

MongoDatabase = AsyncIOMotorDatabase[dict[str, Any]]
MongoCollection = AsyncIOMotorCollection[dict[str, Any]]


def _unavailable(_error: Exception) -> StoreUnavailableError:
    return StoreUnavailableError()


MONGO_TRANSLATIONS: Final[ErrorTranslations] = {
    errors.ConnectionFailure: _unavailable,
    errors.ExecutionTimeout: _unavailable,
    errors.WriteConcernError: _unavailable,
    errors.NotPrimaryError: _unavailable,
}


def connect(settings: MongoSettings) -> MongoDatabase:
    """Make a client whose acknowledged writes survive `kill -9`; it connects on first use.

    `w=majority, j=true` holds for a standalone server and for a replica set. A server that is away is noticed in two
    seconds, not the driver's thirty.

    Raises:
        SystemExit: With status 2 when the address cannot be read, and our sentence: a driver's might quote a password.
    """
    try:
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
            settings.mongodb_uri.get_secret_value(),
            w="majority",
            journal=True,
            tz_aware=True,
            serverSelectionTimeoutMS=_SELECTION_MS,
            connectTimeoutMS=_SELECTION_MS,
            socketTimeoutMS=_ANSWER_MS,
        )
    except (errors.ConfigurationError, ValueError):
        print(_BAD_ADDRESS, file=sys.stderr)
        raise SystemExit(2) from None
    return client[settings.mongodb_database]


class MongoStore:
    """A service's database: usable once its documents are mapped and its indexes exist.

    The service starts without waiting for the server; until the preparation has succeeded every use is a 503, because
    a write without the unique indexes could store what they forbid.
    """

    def __init__(self, database: MongoDatabase, documents: Sequence[type[Document]]) -> None:
        self.database = database
        self.documents = documents
        self._prepared = False

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Prepare in the background while the block runs; close the client after it."""
        preparing = asyncio.create_task(self._prepare_until_done())
        try:
            yield
        finally:
            preparing.cancel()
            with suppress(asyncio.CancelledError):
                await preparing
            self.database.client.close()

    async def prepare(self) -> None:
        """Map the documents and create their indexes; harmless when they are there."""
        await init_beanie(database=self.database, document_models=list(self.documents))
        self._prepared = True

    async def _prepare_until_done(self) -> None:
        while not self._prepared:
            try:
                await self.prepare()
            except Exception as error:  # noqa: BLE001 - nobody awaits this task; whatever it meets must be told
                reason = f"{type(error).__name__}: {error}"[:_REASON_CHARACTERS]
                log.warning("mongodb_not_prepared", error=reason, again_in_seconds=_PREPARE_AGAIN_SECONDS)
                await asyncio.sleep(_PREPARE_AGAIN_SECONDS)
        log.info("mongodb_prepared", database=self.database.name)

    def require_prepared(self) -> None:
        """Refuse to go on before the indexes exist.

        Raises:
            StoreUnavailableError: The server has not answered yet (503).
        """
        if not self._prepared:
            raise StoreUnavailableError

    async def ping(self) -> None:
        """Ask the server, for `/health/ready`.

        Raises:
            StoreUnavailableError: It is not prepared.
            PyMongoError: It does not answer.
        """
        await self.database.command("ping")
        self.require_prepared()
