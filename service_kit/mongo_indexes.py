"""The command that makes a service's indexes by hand, and reports where a database differs from the code.

It makes what is missing. It drops nothing: whether an index that is other than the code says can go is for a person
to decide.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from beanie import Document
from pymongo import IndexModel
from pymongo.errors import OperationFailure, PyMongoError

from service_kit.mongo import MongoCollection, MongoStore

_INDEX_OF_IDS: Final = "_id_"
_NO_PROPERTIES: Final = frozenset({"v", "ns", "name", "background"})

_Index = Mapping[str, Any]


def main(store: MongoStore) -> int:
    """Make the indexes of all documents of `store`, one line each.

    Returns:
        Exit status: 0 if the database now has the indexes of the code and no other, else 1.
    """
    return asyncio.run(_run(store))


async def _run(store: MongoStore) -> int:
    drifted = False
    try:
        async for is_drift, line in compare(store):
            drifted |= is_drift
            print(line)
    except PyMongoError as error:
        print(f"MongoDB does not answer as it should: {str(error)[:300]}")
        return 1
    finally:
        store.database.client.close()
    print("There is drift; see above." if drifted else f"The database {store.database.name} is as the code says.")
    return int(drifted)


async def compare(store: MongoStore) -> AsyncIterator[tuple[bool, str]]:
    """Make what is missing, and tell of each index whether it is drift.

    Raises:
        PyMongoError: The server does not answer, or refuses us.
    """
    for document in store.documents:
        name, wanted = _plan_of(document)
        collection = store.database[name]
        stored = await collection.index_information()
        for index in wanted:
            is_drift, verdict = await _settle(collection, index, stored.get(index.document["name"]))
            yield is_drift, f"{name}.{index.document['name']}: {verdict}"
        for unknown in sorted(stored.keys() - {index.document["name"] for index in wanted} - {_INDEX_OF_IDS}):
            yield True, f"{name}.{unknown}: the code does not know it. Drop it if nobody else needs it."


def _plan_of(document: type[Document]) -> tuple[str, Sequence[IndexModel]]:
    settings: Any = document.Settings
    return settings.name, settings.indexes


async def _settle(collection: MongoCollection, wanted: IndexModel, stored: _Index | None) -> tuple[bool, str]:
    if stored is None:
        return await _make(collection, wanted)
    if _properties(stored) != _properties(wanted.document):
        return True, f"is {_properties(stored)}, should be {_properties(wanted.document)}. Drop it and run this again."
    return False, "is there"


async def _make(collection: MongoCollection, wanted: IndexModel) -> tuple[bool, str]:
    try:
        await collection.create_indexes([wanted])
    except OperationFailure as error:
        return True, f"is missing and cannot be made: {str(error)[:300]}"
    return False, "was missing; made it"


def _properties(index: _Index) -> dict[str, Any]:
    """What makes an index what it is, in one spelling for the server's answer and for the code."""
    kept = {name: value for name, value in index.items() if name not in _NO_PROPERTIES}
    key = kept["key"]
    return kept | {"key": list(key.items()) if isinstance(key, Mapping) else [tuple(field) for field in key]}
