"""Whether a collection is the one that was prepared, with all its indexes.

Whoever drops a collection takes its unique indexes along, and the next insert would make it again without them. MongoDB
gives each collection a UUID: a write that names it is refused by any other collection of the same name.
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
    """A collection as it is now.

    Attributes:
        uuid: None if there is none.
        missing: Names of indexes that the code wants.
    """

    uuid: Binary | None
    missing: Collection[str]


def plan_of(document: type[Document]) -> tuple[str, Sequence[IndexModel]]:
    """The name of a document's collection, and the indexes that it should have."""
    settings: Any = document.Settings
    return settings.name, getattr(settings, "indexes", ())


async def look_at(database: "MongoDatabase", document: type[Document]) -> FoundCollection:
    """Ask for its UUID, then for its indexes: so these are its own, or it is another one by now.

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
