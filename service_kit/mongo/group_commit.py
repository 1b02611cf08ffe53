"""Group commit: concurrent inserts into one collection share one journalled write.

Every caller waits until its own document is durable; the driver's and the disk's cost is paid once a batch.
Source: docs/decisions/0003-group-commit.md
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from contextvars import Context
from typing import Any, Final

import bson
import structlog
from bson.raw_bson import RawBSONDocument
from prometheus_client import Histogram
from pymongo.errors import (
    AutoReconnect,
    DocumentTooLarge,
    DuplicateKeyError,
    NetworkTimeout,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WriteError,
)

from service_kit.background import reason_of
from service_kit.mongo.client import MongoStore
from service_kit.problems import StoreUnavailableError

log = structlog.get_logger()

BATCH_DOCUMENTS: Final = Histogram(
    "group_commit_batch_documents",
    "Documents that shared one write.",
    ["collection"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
_MAX_DOCUMENTS: Final = 256
_MAX_BYTES: Final = 8 * 1024 * 1024
_MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
"""MongoDB's own limit."""
_DUPLICATE_KEY: Final = 11000
_ANOTHER_COLLECTION: Final = 361
_SERVER_IS_LEAVING: Final = frozenset({91, 189, 10107, 11600, 11602, 13435, 13436})
"""Codes of a server that shuts down or is no longer the primary, which says so of each document by itself.
Source: mongodb.com/docs/manual/reference/error-codes"""
_REFUSED_FOR_NOW: Final = _SERVER_IS_LEAVING | {_ANOTHER_COLLECTION}

_Waiting = tuple[RawBSONDocument, asyncio.Future[None]]


class GroupCommit:
    """Inserts documents in batches that form by themselves: while one is written, the next gathers.

    There is nothing to start or stop: the writer is a task that lives while somebody waits.

    Args:
        store: Of the collection.
        name: Of the collection. Another one of that name, which somebody has made since, takes nothing.
    """

    def __init__(self, store: MongoStore, name: str) -> None:
        self._store = store
        self._name = name
        self._concern = store.database.write_concern.document
        self._waiting: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._batch_documents = BATCH_DOCUMENTS.labels(name)

    async def insert(self, document: Mapping[str, Any]) -> None:
        """Return once `document` (with its `_id`) is in the journal.

        Raises:
            DuplicateKeyError: It breaks a unique index; the others of its batch are not concerned.
            StoreUnavailableError: The server did not acknowledge it: it may be stored or not (503).
            InvalidDocument: It cannot be BSON; nothing was sent.
            DocumentTooLarge: It is longer than MongoDB allows; nothing was sent.
        """
        # Encoded here, so that a document that cannot be is its own caller's error and no one else's.
        raw = RawBSONDocument(bson.encode(document))
        if len(raw.raw) > _MAX_DOCUMENT_BYTES:
            raise DocumentTooLarge(f"{len(raw.raw)} bytes are more than the {_MAX_DOCUMENT_BYTES} of a document")
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((raw, stored))
        if self._writer is None or self._writer.done():
            # A context of its own: a batch belongs to no single request, nor to its trace and its lines in the log.
            self._writer = asyncio.create_task(self._write_all(), context=Context())
        await stored

    async def _write_all(self) -> None:
        while self._waiting:
            batch = self._next_batch()
            self._batch_documents.observe(len(batch))
            for (_, stored), error in zip(batch, await self._write(batch), strict=True):
                _settle(stored, error)

    def _next_batch(self) -> list[_Waiting]:
        batch = [self._waiting.popleft()]
        size = len(batch[0][0].raw)
        while self._waiting and len(batch) < _MAX_DOCUMENTS:
            size += len(self._waiting[0][0].raw)
            if size > _MAX_BYTES:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _write(self, batch: Sequence[_Waiting]) -> list[Exception | None]:
        """Write one batch; tell of each document what is wrong with it."""
        try:
            return await self._insert(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller must hear of it
            log.warning("group_commit_failed", documents=len(batch), error=reason_of(error))
            return [_unacknowledged(error) for _ in batch]

    async def _insert(self, batch: Sequence[_Waiting]) -> list[Exception | None]:
        documents = [raw for raw, _ in batch]
        try:
            reply = await self._send(documents)
        except (NetworkTimeout, ServerSelectionTimeoutError):
            raise  # its callers have waited long enough
        except AutoReconnect:
            # Another member is the primary now, or a connection broke. What the first try has stored its id tells.
            reply = _without_our_own(await self._send(documents))
        errors = _errors_by_document(reply, len(batch))
        if any(entry["code"] == _ANOTHER_COLLECTION for entry in reply.get("writeErrors", ())):
            self._store.invalidate()
        return errors

    async def _send(self, documents: Sequence[RawBSONDocument]) -> Mapping[str, Any]:
        """One insert, without the retries that the driver's own does.

        Raises:
            AutoReconnect: It is not known what was stored, and may be known after another try.
            WriteConcernError: Nothing is known to be durable, which is everybody's error.
        """
        reply: Mapping[str, Any] = await self._store.database.command(
            {
                "insert": self._name,
                "ordered": False,
                "writeConcern": self._concern,
                **self._store.only_prepared(self._name),
                "documents": documents,
            }
        )
        if concern := reply.get("writeConcernError"):
            if concern["code"] in _SERVER_IS_LEAVING:
                raise AutoReconnect(concern["errmsg"])
            raise WriteConcernError(concern["errmsg"], concern["code"])
        return reply


def _settle(stored: "asyncio.Future[None]", error: Exception | None) -> None:
    if stored.done():  # its caller has gone
        return
    if error is None:
        stored.set_result(None)
    else:
        stored.set_exception(error)


def _without_our_own(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """The reply to a second try: documents whose very id is taken were stored by the first one."""
    errors = [entry for entry in reply.get("writeErrors", ()) if entry.get("keyPattern") != {"_id": 1}]
    return {**reply, "writeErrors": errors}


def _errors_by_document(reply: Mapping[str, Any], count: int) -> list[Exception | None]:
    """Sort the server's errors by document."""
    errors: list[Exception | None] = [None] * count
    for entry in reply.get("writeErrors", ()):
        errors[entry["index"]] = _error_of(entry)
    return errors


def _error_of(entry: dict[str, Any]) -> Exception:
    code, message = entry["code"], entry["errmsg"]
    if code == _DUPLICATE_KEY:
        return DuplicateKeyError(message, code, entry)
    error = WriteError(message, code, entry)
    return _unacknowledged(error) if code in _REFUSED_FOR_NOW else error


def _unacknowledged(error: Exception) -> StoreUnavailableError:
    """An error of one's own for each caller, since a shared one would gather all their tracebacks."""
    unavailable = StoreUnavailableError()
    unavailable.__cause__ = error
    return unavailable
