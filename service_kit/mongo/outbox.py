"""The outbox inside MongoDB documents: `outbox: [...]` beside the change that caused the events.

A standalone MongoDB has no transactions, but a write of one document is atomic: so the event lives in it. The first
entry of a document carries the schedule of them all, which keeps the events of one document in order.
Source: docs/decisions/0002-outbox-inside-the-document.md
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from pymongo import ASCENDING, IndexModel, UpdateOne, WriteConcern
from pymongo.errors import PyMongoError

from service_kit.background import text_of
from service_kit.messaging.events import Event, encode_event
from service_kit.mongo.client import MongoCollection, open_database
from service_kit.mongo.clock import ServerClock
from service_kit.outbox.store import (
    LEASE,
    PARKED_UNTIL,
    Backlog,
    NoOutboxError,
    OutboxEntry,
    due_after_refusal,
    how_many_fit,
)
from service_kit.settings import MongoSettings, load_settings

_DUE: Final = "outbox.0.due_at"
_LEASE: Final = "outbox.0.lease"
_ATTEMPTS: Final = "outbox.0.attempts"

OUTBOX_INDEX: Final = IndexModel([(_DUE, ASCENDING)], name="outbox_due", sparse=True)
"""Holds only documents with a waiting event: `sparse` leaves out those whose outbox is empty."""

_SIZE: Final = {"$strLenBytes": {"$first": "$outbox.body"}}


_BY_A_MAJORITY: Final = WriteConcern(w="majority", j=False)
_UNJOURNALLED: Final = WriteConcern(w=1, j=False)

_PROCESS: Final = uuid4().hex
"""The lease token of entries that this process has just written."""


def new_entry(event: Event, owner: Any, *, now: datetime) -> OutboxEntry:  # noqa: ANN401 - any BSON value can be an _id
    """An entry for an event of the document `owner`, leased to this process, which publishes it at once.

    Args:
        event: What has happened.
        owner: The document's `_id`.
        now: By the server's clock, and not before it: `MongoStore.clock.at_most()`.
    """
    return OutboxEntry(event.id, owner, event.type, encode_event(event), now + LEASE, _PROCESS)


def stored(entry: OutboxEntry) -> dict[str, Any]:
    """The entry as it stands in its document's `outbox`."""
    return {
        "id": entry.id,
        "topic": entry.topic,
        "body": entry.body.decode(),
        "due_at": entry.due_at,
        "lease": entry.lease,
        "attempts": entry.attempts,
    }


def _entry(owner: Any, kept: dict[str, Any], lease_began: float) -> OutboxEntry:  # noqa: ANN401 - as above
    return OutboxEntry(
        id=kept["id"],
        owner=owner,
        topic=kept["topic"],
        body=kept["body"].encode(),
        due_at=kept["due_at"],
        lease=kept["lease"],
        attempts=kept["attempts"],
        lease_began=lease_began,
    )


class MongoOutbox:
    """The outboxes of one collection's documents.

    Args:
        collection: Of the documents.
        clock: Of its server: what leases, waits and claims go by.
    """

    def __init__(self, collection: MongoCollection, clock: ServerClock) -> None:
        self._documents = collection
        # In a replica set a majority has to take a lease: a former primary that is cut off publishes nothing, and
        # nobody publishes what would be rolled back. A standalone server does not wait for its journal.
        self._leasing = collection.with_options(write_concern=_BY_A_MAJORITY)
        # Forgetting waits for nobody: an entry that comes back is published twice, which consumers tolerate.
        self._unjournalled = collection.with_options(write_concern=_UNJOURNALLED)
        self._clock = clock

    async def claim(self, limit: int) -> Sequence[OutboxEntry]:
        """Lease due entries. Two claimants may find the same document; the update decides who gets it."""
        clock, token, began = await self._clock.fresh(), uuid4().hex, monotonic()
        due = {_DUE: {"$lte": clock.at_least()}}
        # Unsorted on purpose: the index is read in its order and only as far as needed. To sort by a path into an array
        # MongoDB would fetch all that is due, which is much after the broker was away.
        found = await self._documents.find(due, {"_id": 1, "size": _SIZE}).limit(limit).to_list(limit)
        del found[how_many_fit(document["size"] for document in found) :]
        if not found:
            return []
        ids = {"_id": {"$in": [document["_id"] for document in found]}}
        lease = {"$set": {_DUE: clock.at_most() + LEASE, _LEASE: token}}
        await self._leasing.update_many({**ids, **due}, lease, hint="_id_")  # else it may walk all that is due
        mine = await self._documents.find({**ids, _LEASE: token}, {"first": {"$first": "$outbox"}}).to_list(limit)
        return [_entry(document["_id"], document["first"], began) for document in mine]

    async def clear(self, entries: Sequence[OutboxEntry]) -> None:
        """Pull confirmed entries out of their documents."""
        owners = {"_id": {"$in": [entry.owner for entry in entries]}}
        ids = [entry.id for entry in entries]
        await self._unjournalled.update_many(owners, {"$pull": {"outbox": {"id": {"$in": ids}}}})

    async def postpone(self, entries: Sequence[OutboxEntry]) -> None:
        """Set the next try of refused entries."""
        now = (await self._clock.fresh()).at_least()
        await self._documents.bulk_write(
            [
                UpdateOne(
                    {"_id": entry.owner, "outbox.0.id": entry.id, _LEASE: entry.lease},
                    {"$set": {_DUE: due_after_refusal(entry, now)}, "$inc": {_ATTEMPTS: 1}},
                )
                for entry in entries
            ],
            ordered=False,
        )

    async def backlog(self) -> Backlog:
        """Count with the help of the index."""
        waiting = await self._documents.count_documents({_DUE: {"$lt": PARKED_UNTIL}})
        parked = await self._documents.count_documents({_DUE: {"$gte": PARKED_UNTIL}})
        return Backlog(waiting, parked)

    async def release_parked(self) -> int:
        """Let parked entries be tried again from the start."""
        release = {"$set": {_DUE: (await self._clock.fresh()).at_least(), _ATTEMPTS: 0}}
        result = await self._documents.update_many({_DUE: {"$gte": PARKED_UNTIL}}, release)
        return result.modified_count


@asynccontextmanager
async def outbox_at(database: str, collection: str) -> AsyncIterator[MongoOutbox]:
    """The outbox in a collection of the server that the environment names, for commands.

    Raises:
        NoOutboxError: There is none, or MongoDB cannot be asked.
    """
    found = open_database(load_settings(MongoSettings).model_copy(update={"mongodb_database": database}))
    try:
        if OUTBOX_INDEX.document["name"] not in await found[collection].index_information():
            raise NoOutboxError(f"There is no outbox in the collection {collection!r} of the database {database!r}.")
        yield MongoOutbox(found[collection], ServerClock(found))
    except PyMongoError as error:
        raise NoOutboxError(f"MongoDB cannot be asked; MONGODB_URI says where it is: {text_of(error)}") from error
    finally:
        found.client.close()
