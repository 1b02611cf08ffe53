"""Places, reads and cancels orders. An accepted order is in the journal, together with its event.

The hot path writes a plain dictionary through the group commit: building and encoding a Beanie document costs several
times as much. Reading goes through Beanie.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from beanie import PydanticObjectId
from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from orders_service.events import order_cancelled, order_created
from orders_service.models.order import NewOrder, Order, OrderStatus, OrderView
from orders_service.services.idempotency import IdempotencyConflictError, RequestMark, is_key_taken
from orders_service.services.new_order import as_document, new_order_id, placed_view
from service_kit.mongo.client import MongoStore
from service_kit.mongo.document_events import DocumentEvents
from service_kit.mongo.group_commit import GroupCommit
from service_kit.outbox.relay import Relay
from service_kit.problems import ServiceError, StoreUnavailableError


class OrderNotFoundError(ServiceError):
    """No order has this id."""

    status = HTTPStatus.NOT_FOUND
    code = "order-not-found"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"There is no order {order_id[:64]!r}. Ids are the 24 characters that POST /orders answered.")


class TooLateToCancelError(ServiceError):
    """The time in which an order can be cancelled is over."""

    status = HTTPStatus.CONFLICT
    code = "too-late-to-cancel"

    def __init__(self, window: timedelta) -> None:
        minutes = int(window.total_seconds() // 60)
        super().__init__(f"An order can be cancelled for {minutes} minutes after it was placed. Ask support instead.")


@dataclass(frozen=True, slots=True)
class Placed:
    """The answer to a new order; `replayed` if an earlier request with the same key has placed the order."""

    order: OrderView
    replayed: bool


class Orders:
    """The orders of one store."""

    def __init__(self, store: MongoStore, relay: Relay, *, cancellation_window: timedelta) -> None:
        self._store = store
        self._collection = store.database[Order.Settings.name]
        self._commit = GroupCommit(store, Order.Settings.name)
        self._events = DocumentEvents(store, self._collection, relay)
        self._window = cancellation_window

    async def place(self, new_order: NewOrder, *, key: str | None, caller: str | None, now: datetime) -> Placed:
        """Store an order together with its event, and hand the event to the relay.

        Args:
            new_order: What is ordered.
            key: The `Idempotency-Key`, if there is one.
            caller: Identity of the API key in the request, to which the key belongs.
            now: The time of the request.

        Raises:
            IdempotencyConflictError: The key belongs to another order (422).
            StoreUnavailableError: MongoDB has not acknowledged it (503).
        """
        self._store.require_prepared()
        mark = RequestMark.of(key, new_order, caller=caller) if key else None
        order_id = new_order_id(now)
        view = placed_view(order_id, new_order, now)
        document = as_document(order_id, view)
        event = order_created(view.id, view.user_id, view.total, view.currency, at=now)
        entry = self._events.attach(document, event)
        if mark:
            document["idempotency"] = mark.stored()
        try:
            await self._commit.insert(document)
        except DuplicateKeyError as error:
            if mark and is_key_taken(error):
                return Placed(await self._first_answer(mark), replayed=True)
            raise
        self._events.publish(entry)
        return Placed(view, replayed=False)

    async def _first_answer(self, mark: RequestMark) -> OrderView:
        """The order with the key. It is in the journal, because the failed insert has waited for that."""
        for holder in mark.holders():
            if document := await self._collection.find_one(holder):
                mark.require_same(document)
                return OrderView.of(Order.model_validate(document)).as_placed()
        if await self._collection.find_one({"idempotency.key": mark.key}, {"_id": 1}):
            raise IdempotencyConflictError  # another caller's key, and the former index still exists
        raise StoreUnavailableError  # it was removed just now

    async def read(self, order_id: str) -> OrderView:
        """Look one order up.

        Raises:
            OrderNotFoundError: No order has this id (404).
        """
        self._store.require_prepared()
        order = await Order.get(PydanticObjectId(_id_of(order_id)))
        if order is None:
            raise OrderNotFoundError(order_id)
        return OrderView.of(order)

    async def cancel(self, order_id: str, *, now: datetime) -> OrderView:
        """Cancel an order, with its own event; an order that is cancelled already stays as it is.

        Raises:
            OrderNotFoundError: No order has this id (404).
            TooLateToCancelError: The cancellation window is over (409).
        """
        self._store.require_prepared()
        owner = _id_of(order_id)
        cancellable = {"_id": owner, "status": OrderStatus.PLACED, "created_at": {"$gte": now - self._window}}
        change = {"$set": {"status": OrderStatus.CANCELLED, "cancelled_at": now}}
        entry = self._events.attach_to_update(change, owner, order_cancelled(str(owner), at=now))
        changed = await self._collection.find_one_and_update(cancellable, change, return_document=ReturnDocument.AFTER)
        if changed is None:
            return await self._cancelled_before(order_id)
        await self._events.publish_after_update(entry, changed)
        return OrderView.of(Order.model_validate(changed))

    async def _cancelled_before(self, order_id: str) -> OrderView:
        """The order, cancelled before. The update has waited for the journal, so no crash undoes the answer."""
        order = await self.read(order_id)
        if order.status is not OrderStatus.CANCELLED:
            raise TooLateToCancelError(self._window)
        return order


def _id_of(order_id: str) -> ObjectId:
    if not ObjectId.is_valid(order_id):
        raise OrderNotFoundError(order_id)
    return ObjectId(order_id)
