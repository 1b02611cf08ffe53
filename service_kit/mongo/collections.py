"""Whether a collection is the one that was prepared, with all its indexes.

Dropping a collection drops its unique indexes, and the next insert would create it again without them. MongoDB gives
each collection a UUID; a write that names it is refused by any other collection of the same name.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from beanie import Document
from bson import Binary
from pymongo import IndexModel

if TYPE_CHECKING:  # whose store asks here
    from service_kit.mongo.client import MongoDatabase

_KNOWS_UUIDS: Final = 17
"""`maxWireVersion` of MongoDB 6.0, the first whose writes take a `collectionUUID`."""


@dataclass(frozen=True, slots=True)
class FoundCollection:
    """The state of a collection.

    Attributes:
        uuid: None if the collection does not exist.
        missing: Names of indexes that the code defines and the collection lacks.
    """

    uuid: Binary | None
    missing: Collection[str]


def plan_of(document: type[Document]) -> tuple[str, Sequence[IndexModel]]:
    """The name of a document's collection, and the indexes that the code defines."""
    settings: Any = document.Settings
    return settings.name, getattr(settings, "indexes", ())


async def look_at(database: "MongoDatabase", document: type[Document]) -> FoundCollection:
    """Ask for the UUID of a collection, then for its indexes: they belong to it unless it was replaced since.

    Raises:
        PyMongoError: The server does not answer.
    """
    name, wanted = plan_of(document)
    infos = [info async for info in await database.list_collections(filter={"name": name})]
    stored = await database[name].index_information() if infos else {}
    missing = [index.document["name"] for index in wanted if index.document["name"] not in stored]
    return FoundCollection(infos[0]["info"]["uuid"] if infos else None, missing)


async def knows_uuids(database: "MongoDatabase") -> bool:
    """Whether the server checks the UUID of the collection that a write names."""
    hello = await database.command("hello")
    return bool(hello["maxWireVersion"] >= _KNOWS_UUIDS)
