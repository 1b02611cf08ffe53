"""The outbox inside MongoDB documents: `outbox: [...]` beside the change that caused the events.

A standalone MongoDB has no transactions, but a write of one document is atomic, so the event is stored in it. The first
entry of a document holds the schedule for all of them, which keeps the events of one document in order.
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
from service_kit.settings.environment import load_settings
from service_kit.settings.stores import MongoSettings

_DUE: Final = "outbox.0.due_at"
_LEASE: Final = "outbox.0.lease"
_ATTEMPTS: Final = "outbox.0.attempts"

OUTBOX_INDEX: Final = IndexModel([(_DUE, ASCENDING)], name="outbox_due", sparse=True)
"""Contains only documents with a waiting event: `sparse` leaves out those whose outbox is empty."""

_SIZE: Final = {"$strLenBytes": {"$first": "$outbox.body"}}


_BY_A_MAJORITY: Final = WriteConcern(w="majority", j=False)
_UNJOURNALLED: Final = WriteConcern(w=1, j=False)

_PROCESS: Final = uuid4().hex
"""The lease token of entries that this process has just written."""


def new_entry(event: Event, owner: Any, *, now: datetime) -> OutboxEntry:  # noqa: ANN401 - any BSON value can be an _id
    """Make an entry for an event of the document `owner`, leased to this process, which publishes it at once.

    Args:
        event: What has happened.
        owner: The document's `_id`.
        now: The server's time or later: `MongoStore.clock.at_most()`.
    """
    return OutboxEntry(event.id, owner, event.type, encode_event(event), now + LEASE, _PROCESS)


def stored(entry: OutboxEntry) -> dict[str, Any]:
    """The form of an entry in the `outbox` of its document."""
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
        collection: The documents.
        clock: That of their server; it dates leases and retries.
    """

    def __init__(self, collection: MongoCollection, clock: ServerClock) -> None:
        self._documents = collection
        # In a replica set a majority has to accept a lease. So a former primary that is cut off publishes nothing, and
        # nothing is published that would be rolled back. A standalone server does not wait for its journal.
        self._leasing = collection.with_options(write_concern=_BY_A_MAJORITY)
        # Clearing does not wait: an entry that reappears after a crash is published twice, which consumers tolerate.
        self._unjournalled = collection.with_options(write_concern=_UNJOURNALLED)
        self._clock = clock

    async def claim(self, limit: int) -> Sequence[OutboxEntry]:
        """Lease due entries. Two processes may find the same document; the update decides which one gets it."""
        clock, token, began = await self._clock.fresh(), uuid4().hex, monotonic()
        due = {_DUE: {"$lte": clock.at_least()}}
        # Unsorted on purpose: the index is read in its order, and only as far as needed. To sort by a path into an
        # array, MongoDB would fetch everything that is due, which is a lot after the broker was away.
        found = await self._documents.find(due, {"_id": 1, "size": _SIZE}).limit(limit).to_list(limit)
        del found[how_many_fit(document["size"] for document in found) :]
        if not found:
            return []
        ids = {"_id": {"$in": [document["_id"] for document in found]}}
        lease = {"$set": {_DUE: clock.at_most() + LEASE, _LEASE: token}}
        await self._leasing.update_many({**ids, **due}, lease, hint="_id_")  # else it may scan everything due
        mine = await self._documents.find({**ids, _LEASE: token}, {"first": {"$first": "$outbox"}}).to_list(limit)
        return [_entry(document["_id"], document["first"], began) for document in mine]

    async def clear(self, entries: Sequence[OutboxEntry]) -> None:
        """Remove confirmed entries from their documents."""
        owners = {"_id": {"$in": [entry.owner for entry in entries]}}
        ids = [entry.id for entry in entries]
        await self._unjournalled.update_many(owners, {"$pull": {"outbox": {"id": {"$in": ids}}}})

    async def postpone(self, entries: Sequence[OutboxEntry]) -> None:
        """Schedule the next try of refused entries."""
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
        """Count entries, by the index."""
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
