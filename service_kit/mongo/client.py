"""MongoDB: the one place that makes Motor's client.

Motor's end of life was 2026-05-14; nothing else imports it, so that moving to PyMongo's own asynchronous client changes
this module alone. Source: docs/decisions/0001-motor-and-its-end-of-life.md
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import structlog
from beanie import Document, init_beanie
from bson import Binary
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ReadPreference, WriteConcern, errors
from pymongo.read_concern import ReadConcern

from service_kit.background import set_within
from service_kit.mongo.clock import ServerClock
from service_kit.mongo.collections import knows_uuids, look_at, plan_of
from service_kit.mongo.duplicates import find_duplicates, told
from service_kit.mongo.guard import Guard
from service_kit.mongo.ownership import require_own
from service_kit.problems import ErrorTranslations, StoreUnavailableError
from service_kit.resources import Check
from service_kit.settings.stores import MongoSettings
from service_kit.store import Store

log = structlog.get_logger()

_LOOK_SECONDS: Final = 1.0
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


def open_database(settings: MongoSettings) -> MongoDatabase:
    """Make a client whose acknowledged writes survive `kill -9`, and which reads what was just written.

    `w=majority, j=true` holds for a standalone server and for a replica set. Reads go to the primary and see its latest
    state. Options in the address do not change that: with reads from a secondary, or of a majority's state, the outbox
    would not find its own leases. An absent server is noticed after two seconds instead of the driver's thirty.

    Raises:
        SystemExit: With status 2 and our own message when the address cannot be read: a driver's may quote a password.
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
    """The mapped documents of a service, with their indexes.

    It checks about once a second that they are still there: dropping a collection drops its unique indexes too.

    Attributes:
        clock: Of the server.
    """

    def __init__(
        self, database: MongoDatabase, documents: Sequence[type[Document]], *, guard: Guard | None = None
    ) -> None:
        super().__init__("mongodb", database.name)
        self._guard = guard
        self.database = database
        self.documents = documents
        self.clock = ServerClock(database)
        self._uuids: dict[str, Binary] = {}
        self._names_uuids = False

    def only_prepared(self, collection: str) -> dict[str, Binary]:
        """Options of an insert command, with which only the collection that was prepared accepts it.

        A server before MongoDB 6.0 does not know them; there the next check notices another collection.
        """
        return {"collectionUUID": self._uuids[collection]} if self._names_uuids else {}

    @property
    def checks(self) -> Sequence[Check]:
        return [Check("mongodb", self.ping)]

    @property
    def translations(self) -> ErrorTranslations:
        return MONGO_TRANSLATIONS

    async def require_own(self) -> None:
        """Refuse another service's database.

        Raises:
            WrongDatabaseError: It is one.
            PyMongoError: The server does not answer.
        """
        await require_own(self.database, self._service, [plan_of(document)[0] for document in self.documents])

    async def _prepare(self) -> None:
        if self._guard:
            await self._guard()
        await self.require_own()
        try:
            await init_beanie(database=self.database, document_models=list(self.documents))
        except errors.DuplicateKeyError:
            if found := await find_duplicates(self.database, self.documents):
                raise StoreUnavailableError(told(found, f"{self._service}.init_db")) from None
            raise
        await self.clock.ask()
        self._names_uuids = await knows_uuids(self.database)
        self._uuids = {plan_of(document)[0]: await self._whole(document) for document in self.documents}

    async def _whole(self, document: type[Document]) -> Binary:
        found = await look_at(self.database, document)
        if found.uuid is None or found.missing:
            raise StoreUnavailableError  # it has just been dropped
        return found.uuid

    async def _ask(self) -> None:
        await self.clock.ask()
        for document in self.documents:
            found = await look_at(self.database, document)
            name = plan_of(document)[0]
            if self._prepared and (found.missing or found.uuid != self._uuids[name]):
                log.warning("collection_not_as_prepared", collection=name, missing_indexes=list(found.missing))
                self.invalidate()

    async def _watch(self) -> None:
        while not await set_within(self._doubted, _LOOK_SECONDS):
            with suppress(Exception):  # an absent server does not invalidate the store: each use reports it
                await self._ask()

    async def _close(self) -> None:
        self.database.client.close()

    @property
    def _service(self) -> str:
        """The package of the documents."""
        return self.documents[0].__module__.partition(".")[0]
