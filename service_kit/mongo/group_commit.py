"""Group commit: concurrent inserts into one collection share one journalled write.

Every caller waits until its own document is durable; the driver's and the disk's costs are paid once for a batch.
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
"""Codes of a server that shuts down or is no longer the primary; it sends them for each document by itself.
Source: mongodb.com/docs/manual/reference/error-codes"""
_REFUSED_FOR_NOW: Final = _SERVER_IS_LEAVING | {_ANOTHER_COLLECTION}

_Waiting = tuple[RawBSONDocument, asyncio.Future[None]]


class GroupCommit:
    """Inserts documents in batches: while one batch is written, the next one gathers.

    There is nothing to start or stop: the writer is a task that runs while callers wait.

    Args:
        store: The store of the collection.
        name: The name of the collection. One of that name that was created after the preparation accepts nothing.
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
            DuplicateKeyError: It breaks a unique index; the other documents of its batch are not affected.
            StoreUnavailableError: The server did not acknowledge it: it may be stored or not (503).
            InvalidDocument: It cannot be encoded as BSON; nothing was sent.
            DocumentTooLarge: It is longer than MongoDB allows; nothing was sent.
        """
        # Encoded here, so that a document that cannot be encoded is an error of its own caller only.
        raw = RawBSONDocument(bson.encode(document))
        if len(raw.raw) > _MAX_DOCUMENT_BYTES:
            raise DocumentTooLarge(f"{len(raw.raw)} bytes are more than the {_MAX_DOCUMENT_BYTES} of a document")
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append((raw, stored))
        if self._writer is None or self._writer.done():
            # A context of its own: a batch belongs to no single request, so neither to its trace nor to its log lines.
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
        """Write one batch; returns the error of each document, or None."""
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
            raise  # its callers have waited the allowed time
        except AutoReconnect:
            # Another member is the primary now, or a connection broke. Ids show what the first try has stored.
            reply = _without_our_own(await self._send(documents))
        errors = _errors_by_document(reply, len(batch))
        if any(entry["code"] == _ANOTHER_COLLECTION for entry in reply.get("writeErrors", ())):
            self._store.invalidate()
        return errors

    async def _send(self, documents: Sequence[RawBSONDocument]) -> Mapping[str, Any]:
        """Send one insert, without the driver's own retries.

        Raises:
            AutoReconnect: It is unknown what was stored; another try may show it.
            WriteConcernError: Nothing is known to be durable, which is an error of all callers.
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
    if stored.done():  # its caller was cancelled
        return
    if error is None:
        stored.set_result(None)
    else:
        stored.set_exception(error)


def _without_our_own(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """The reply to a second try, without the documents that the first one has stored: their own id is taken."""
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
    """Make an error for each caller: a shared one would collect the tracebacks of all."""
    unavailable = StoreUnavailableError()
    unavailable.__cause__ = error
    return unavailable
