"""The command that creates a service's indexes by hand, and reports where a database differs from the code.

It creates what is missing, and settles duplicates that prevent a unique index. It drops nothing: a person decides
whether an index that differs from the code can be dropped.
"""

import asyncio
import json
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from service_kit.background import text_of
from service_kit.mongo.client import MongoCollection, MongoStore
from service_kit.mongo.collections import plan_of
from service_kit.mongo.duplicates import Duplicates, Settlement, find_duplicates, settle
from service_kit.store import WrongDatabaseError

_INDEX_OF_IDS: Final = "_id_"
_NO_PROPERTIES: Final = frozenset({"v", "ns", "name", "background"})

_Index = Mapping[str, Any]
Settlements = Mapping[str, Settlement]
"""How duplicates are settled, by the name of the unique index."""

_Report = AsyncIterator[tuple[bool, str]]
"""Lines, each with whether it reports a difference."""


def main(
    store: MongoStore,
    settlements: Settlements,
    arguments: Sequence[str] | None = None,
    *,
    former: Mapping[str, str] | None = None,
) -> int:
    """Create the indexes of all documents of `store`, one line each; or show and settle duplicates.

    Args:
        store: Of one service.
        settlements: How duplicates of its unique indexes are settled.
        arguments: Of the command line, unless told otherwise.
        former: Indexes of an earlier version that are used until the update is complete, and what for.

    Returns:
        Exit status: 0 if the database now has the indexes of the code and no other, else 1.
    """
    asked = _parser(store).parse_args(arguments)
    reports = {
        "indexes": lambda: compare(store, former),
        "drop-former": lambda: _drop_former(store, former or {}),
        "duplicates": lambda: _show(store, settlements),
        "settle": lambda: _show(store, settlements) if asked.dry_run else _settle_all(store, settlements),
    }
    return asyncio.run(_run(store, reports[asked.command]()))


def _parser(store: MongoStore) -> ArgumentParser:
    parser = ArgumentParser(description=f"The indexes of the database {store.database.name}.")
    commands = parser.add_subparsers(dest="command")
    parser.set_defaults(command="indexes")
    commands.add_parser("indexes", help="make what is missing, and report what differs; the same as no command")
    commands.add_parser("duplicates", help="show documents that share a value which may be there once")
    commands.add_parser("drop-former", help="drop indexes of an earlier version, once the update is over")
    settling = commands.add_parser("settle", help="let the oldest of them keep it; no document is deleted")
    settling.add_argument("--dry-run", action="store_true", help="only show what would be done")
    return parser


async def _run(store: MongoStore, report: _Report) -> int:
    drifted = False
    try:
        await store.require_own()
        async for is_drift, line in report:
            drifted |= is_drift
            print(line)
    except WrongDatabaseError as error:
        print(f"Nothing is done: {error}.")
        return 1
    except PyMongoError as error:
        print(f"MongoDB does not answer as it should: {text_of(error)}")
        return 1
    finally:
        store.database.client.close()
    print("There is drift; see above." if drifted else f"The database {store.database.name} is as the code says.")
    return int(drifted)


async def _show(store: MongoStore, settlements: Settlements) -> _Report:
    for found in await find_duplicates(store.database, store.documents):
        yield True, _line(found, settlements[found.index], "would keep")


async def _settle_all(store: MongoStore, settlements: Settlements) -> _Report:
    for found in await find_duplicates(store.database, store.documents):
        settlement = settlements[found.index]
        await settle(store.database, found, settlement)
        yield False, _line(found, settlement, "keeps")
    async for line in compare(store):
        yield line


def _line(found: Duplicates, settlement: Settlement, keeps: str) -> str:
    value = ", ".join(json.dumps(part, default=str, ensure_ascii=False) for part in found.value)
    others = ", ".join(map(str, found.ids[1:]))
    return f"{found.place}: {value}: {found.ids[0]} {keeps} it; {settlement.verdict}: {others}"


async def compare(store: MongoStore, former: Mapping[str, str] | None = None) -> _Report:
    """Create what is missing, and report for each index whether it differs; `former` indexes do not count.

    Raises:
        PyMongoError: The server does not answer, or refuses us.
    """
    for document in store.documents:
        name, wanted = plan_of(document)
        collection = store.database[name]
        stored = await collection.index_information()
        for index in wanted:
            is_drift, verdict = await _settle(collection, index, stored.get(index.document["name"]))
            yield is_drift, f"{name}.{index.document['name']}: {verdict}"
        for unknown in sorted(stored.keys() - {index.document["name"] for index in wanted} - {_INDEX_OF_IDS}):
            yield _verdict_on(unknown, f"{name}.{unknown}", former or {})


def _verdict_on(unknown: str, place: str, former: Mapping[str, str]) -> tuple[bool, str]:
    if unknown in former:
        return False, f"{place}: of an earlier version. {former[unknown]}"
    return True, f"{place}: the code does not know it. Drop it if nobody else needs it."


async def _drop_former(store: MongoStore, former: Mapping[str, str]) -> _Report:
    for document in store.documents:
        name, _ = plan_of(document)
        for index in sorted(former.keys() & (await store.database[name].index_information()).keys()):
            await store.database[name].drop_index(index)
            yield False, f"{name}.{index}: dropped"
    async for line in compare(store):
        yield line


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
        hint = " The command `duplicates` shows what came twice." if isinstance(error, DuplicateKeyError) else ""
        return True, f"is missing and cannot be made: {text_of(error)}{hint}"
    return False, "was missing; made it"


def _properties(index: _Index) -> dict[str, Any]:
    """The properties of an index, in the same form for the server's answer and for the code."""
    kept = {name: value for name, value in index.items() if name not in _NO_PROPERTIES}
    key = kept["key"]
    return kept | {"key": list(key.items()) if isinstance(key, Mapping) else [tuple(field) for field in key]}
