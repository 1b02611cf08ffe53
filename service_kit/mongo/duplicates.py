"""Finds, reports and settles documents that share a value which a unique index allows once.

They are stored while the index is missing, and prevent its creation until they are settled. Nothing is deleted: the
oldest document keeps the value, and the service that owns the documents defines how the others change.
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
"""Values named in a sentence, and documents named for each value."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """The change of the younger documents that share a value.

    Attributes:
        change: For `update_many`; removes the shared value.
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
        ids: Those of the documents, the oldest first.
    """

    collection: str
    index: str
    value: Sequence[Any]
    ids: Sequence[Any]

    @property
    def place(self) -> str:
        """The collection and index, for people."""
        return f"{self.collection}.{self.index}"


async def find_duplicates(database: "MongoDatabase", documents: Sequence[type[Document]]) -> list[Duplicates]:
    """Find all duplicates in the collections of some documents, whether the unique index exists or not.

    Raises:
        PyMongoError: The server does not answer.
    """
    plans = [plan_of(document) for document in documents]
    unique = [(name, index) for name, indexes in plans for index in indexes if index.document.get("unique")]
    return [found for name, index in unique async for found in _sharing(database, name, index)]


async def _sharing(database: "MongoDatabase", name: str, index: IndexModel) -> AsyncIterator[Duplicates]:
    fields = list(index.document["key"])
    value = [{"$ifNull": [f"${field}", None]} for field in fields]  # an index takes an absent field for null
    pipeline: list[Mapping[str, Any]] = [
        {"$match": _indexed(index, fields)},
        {"$sort": {"created_at": 1, "_id": 1}},  # an id has only the second of its creation
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
    """Describe duplicates without their values, for logs and readiness.

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
