"""Whose database it is: a document in the collection `service` has the name of the service that came first."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from pymongo import ReturnDocument

from service_kit.store import WrongDatabaseError

if TYPE_CHECKING:  # whose store asks here
    from service_kit.mongo.client import MongoDatabase

_COLLECTION: Final = "service"


async def require_own(database: "MongoDatabase", service: str, collections: Collection[str]) -> None:
    """Refuse a database that another service uses; one that nobody uses is the service's from now on.

    One of before these notes is another's if collections are there, and none of the service's own.

    Raises:
        WrongDatabaseError: It is another one's.
        PyMongoError: The server does not answer.
    """
    notes = database[_COLLECTION]
    noted = await notes.find_one({"_id": "owner"})
    if noted is None:
        # Another replica may have made the notes since we looked, which says nothing yet about whose they are.
        found = {name for name in await database.list_collection_names() if not name.startswith("system.")}
        found.discard(_COLLECTION)
        if found and found.isdisjoint(collections):
            raise WrongDatabaseError(
                f"the database {database.name} holds {', '.join(sorted(found))}, which {service} does not know: it is "
                "another one's. Set MONGODB_DATABASE to one of its own"
            )
        noted = await notes.find_one_and_update(
            {"_id": "owner"}, {"$setOnInsert": {"name": service}}, upsert=True, return_document=ReturnDocument.AFTER
        )
    if noted["name"] != service:
        raise WrongDatabaseError(
            f"the database {database.name} is {noted['name']}'s, and not {service}'s: "
            "set MONGODB_DATABASE to one of its own"
        )
