"""The events of a change of a document: stored in the same write as the change, then handed to the relay.

Of a new document: `attach` the event, insert the document, `publish` what `attach` has returned. Of an update:
`attach_to_update`, `find_one_and_update`, `publish_after_update`. A process that dies in between loses nothing: the
relay of another one finds the event in the document.
"""

from typing import Any

from service_kit.messaging.events import Event
from service_kit.mongo.client import MongoCollection, MongoStore
from service_kit.mongo.outbox import new_entry, stored
from service_kit.outbox.relay import Relay
from service_kit.outbox.store import OutboxEntry

MongoDict = dict[str, Any]


class DocumentEvents:
    """Writes the events of one collection's documents.

    Args:
        store: Its clock dates the leases.
        collection: Of the documents.
        relay: Publishes the collection's outbox.
    """

    def __init__(self, store: MongoStore, collection: MongoCollection, relay: Relay) -> None:
        self._clock = store.clock
        self._documents = collection
        self._relay = relay

    def attach(self, document: MongoDict, event: Event) -> OutboxEntry:
        """Put an event into a document that is to be inserted."""
        entry = new_entry(event, document["_id"], now=self._clock.at_most())
        document["outbox"] = [stored(entry)]
        return entry

    def attach_to_update(self, update: MongoDict, owner: Any, event: Event) -> OutboxEntry:  # noqa: ANN401 - any `_id`
        """Put an event into an update of the document whose `_id` is `owner`."""
        entry = new_entry(event, owner, now=self._clock.at_most())
        update["$push"] = {"outbox": stored(entry)}
        return entry

    def publish(self, entry: OutboxEntry) -> None:
        """Hand the event of a new document to the relay, once the document is stored."""
        self._relay.enqueue(entry)

    async def publish_after_update(self, entry: OutboxEntry, changed: MongoDict) -> None:
        """Hand the event of an update to the relay, if no older event of the document waits.

        If one does, the lease is given up, so that the sweep publishes both in their order.

        Args:
            entry: What `attach_to_update` has returned.
            changed: The document as it is after the update.
        """
        if changed["outbox"][0]["id"] == entry.id:
            self._relay.enqueue(entry)
            return
        release = {"$set": {"outbox.$.due_at": self._clock.at_least()}}
        await self._documents.update_one({"_id": entry.owner, "outbox.id": entry.id}, release)
