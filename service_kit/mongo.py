"""MongoDB: the one place that makes Motor's client.

Motor's end of life was 2026-05-14; nothing else imports it, so that moving to PyMongo's own asynchronous client changes
this module alone. Source: docs/decisions/0001-motor-and-its-end-of-life.md
"""

import sys
from collections.abc import Sequence
from typing import Any, Final

from beanie import Document, init_beanie
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ReadPreference, WriteConcern, errors
from pymongo.read_concern import ReadConcern

from service_kit.problems import ErrorTranslations, StoreUnavailableError
from service_kit.settings import MongoSettings
from service_kit.store import Store

_SELECTION_MS: Final = 2_000
_ANSWER_MS: Final = 10_000
_BAD_ADDRESS: Final = (
    "Cannot start: MONGODB_URI: write it as mongodb://USER:PASSWORD@HOST:PORT, special characters percent-encoded."
)

_DURABLE: Final = WriteConcern("majority", j=True)
_LATEST: Final = ReadConcern("local")

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
    """Make a client whose acknowledged writes survive `kill -9`, and which reads what was just written.

    `w=majority, j=true` holds for a standalone server and for a replica set. Reads go to the primary and see its latest
    state. All this holds whatever the address says: with reads of a secondary or of a majority's state the outbox would
    not find its own leases. A server that is away is noticed in two seconds, not the driver's thirty.

    Raises:
        SystemExit: With status 2 when the address cannot be read, and our sentence: a driver's might quote a password.
    """
    try:
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
            settings.mongodb_uri.get_secret_value(),
            tz_aware=True,
            serverSelectionTimeoutMS=_SELECTION_MS,
            connectTimeoutMS=_SELECTION_MS,
            socketTimeoutMS=_ANSWER_MS,
        )
    except (errors.ConfigurationError, ValueError):
        print(_BAD_ADDRESS, file=sys.stderr)
        raise SystemExit(2) from None
    return client.get_database(
        settings.mongodb_database,
        read_preference=ReadPreference.PRIMARY,
        write_concern=_DURABLE,
        read_concern=_LATEST,
    )


class MongoStore(Store):
    """The mapped documents of a service, with their indexes."""

    def __init__(self, database: MongoDatabase, documents: Sequence[type[Document]]) -> None:
        super().__init__("mongodb", database.name)
        self.database = database
        self.documents = documents

    async def _prepare(self) -> None:
        await init_beanie(database=self.database, document_models=list(self.documents))

    async def _ask(self) -> None:
        await self.database.command("ping")

    async def _close(self) -> None:
        self.database.client.close()
