"""Documents that share a value which a unique index allows once: found, told, and settled.

They come in while the index is not there, and it cannot be made again before they are settled. Nothing is deleted: the
oldest document keeps the value, and what becomes of the others says the service that owns them.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from beanie import Document
from pymongo import IndexModel

from service_kit.mongo.collections import plan_of

if TYPE_CHECKING:  # whose store asks here
    from service_kit.mongo.client import MongoDatabase

_VALUES: Final = 2
_DOCUMENTS: Final = 3
"""How many a sentence names: each of so many values with so many documents."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of the younger documents that share a value.

    Attributes:
        change: As `update_many` takes it; it takes the shared value away.
        verdict: What that means, for people.
    """

    change: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    verdict: str


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Documents that share one value.

    Attributes:
        collection: Their collection.
        index: Name of the index that allows the value once.
        value: One part for each field of the index. It may be personal: not for a log.
        ids: Of the documents, the oldest first.
    """

    collection: str
    index: str
    value: Sequence[Any]
    ids: Sequence[Any]

    @property
    def place(self) -> str:
        """What they break."""
        return f"{self.collection}.{self.index}"


async def find_duplicates(database: "MongoDatabase", documents: Sequence[type[Document]]) -> list[Duplicates]:
    """All that break a unique index of some documents, whether it is there or not.

    Raises:
        PyMongoError: The server does not answer.
    """
    plans = [plan_of(document) for document in documents]
    unique = [(name, index) for name, indexes in plans for index in indexes if index.document.get("unique")]
    return [found for name, index in unique async for found in _sharing(database, name, index)]


async def _sharing(database: "MongoDatabase", name: str, index: IndexModel) -> AsyncIterator[Duplicates]:
    fields = list(index.document["key"])
    value = [{"$ifNull": [f"${field}", None]} for field in fields]  # to an index what is absent is null
    pipeline: list[Mapping[str, Any]] = [
        {"$match": _indexed(index, fields)},
        {"$sort": {"created_at": 1, "_id": 1}},  # an id knows no more than the second
        {"$group": {"_id": value, "ids": {"$push": "$_id"}}},
        {"$match": {"ids.1": {"$exists": True}}},
        {"$sort": {"ids": 1}},
    ]
    async for group in database[name].aggregate(pipeline, allowDiskUse=True):
        yield Duplicates(name, index.document["name"], group["_id"], group["ids"])


def _indexed(index: IndexModel, fields: Sequence[str]) -> Mapping[str, Any]:
    """Which documents an index holds."""
    present = {"$or": [{field: {"$exists": True}} for field in fields]} if index.document.get("sparse") else {}
    return {**present, **index.document.get("partialFilterExpression", {})}


def told(duplicates: Sequence[Duplicates], module: str) -> str:
    """A sentence without any value, for logs and readiness.

    Args:
        duplicates: At least one.
        module: Of the command that settles them.
    """
    places = sorted({one.place for one in duplicates})
    first = "; ".join(", ".join(map(str, one.ids[:_DOCUMENTS])) for one in duplicates[:_VALUES])
    return (
        f"{' and '.join(places)}: {len(duplicates)} values are stored more than once, first in the documents {first}. "
        f"`python -m {module} duplicates` shows them, `python -m {module} settle` settles them."
    )


async def settle(database: "MongoDatabase", duplicates: Duplicates, settlement: Settlement) -> None:
    """Let the oldest document keep the value.

    Raises:
        PyMongoError: The server does not answer.
    """
    await database[duplicates.collection].update_many({"_id": {"$in": duplicates.ids[1:]}}, settlement.change)
