import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from bson.errors import InvalidDocument
from bson.raw_bson import RawBSONDocument
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DocumentTooLarge,
    DuplicateKeyError,
    NotPrimaryError,
    PyMongoError,
    WriteError,
)
from structlog.contextvars import bound_contextvars, get_contextvars

from service_kit.group_commit import GroupCommit
from service_kit.problems import StoreUnavailableError

Batch = list[dict[str, Any]]
Outcome = Any


class FakeCollection:
    """Remembers batches; answers them when its gate is open, with the errors that it is told.

    Attributes:
        name: As a collection has one.
        batches: The documents of each write.
        writing: Set by the first write.
        errors: Raised by the next writes, in turn; `None` is a write that succeeds.
    """

    name = "things"

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.errors: list[Exception | None] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.writing = asyncio.Event()
        self.contexts: list[dict[str, Any]] = []

    async def insert_many(self, documents: Sequence[RawBSONDocument], *, ordered: bool) -> None:
        assert not ordered
        self.writing.set()
        self.batches.append([dict(document) for document in documents])
        self.contexts.append(get_contextvars())
        await self.gate.wait()
        error = self.errors.pop(0) if self.errors else None
        if error:
            raise error


@pytest.fixture
async def collection() -> FakeCollection:
    return FakeCollection()


@pytest.fixture
async def commit(collection: FakeCollection) -> GroupCommit:
    return GroupCommit(collection)  # type: ignore[arg-type]  # a fake


def bulk_error(write_errors: dict[int, int], *, concern: int | None = None) -> BulkWriteError:
    """What the driver raises when documents (by index) have failed with codes."""
    errors = [{"index": index, "code": code, "errmsg": f"E{code}"} for index, code in write_errors.items()]
    concerns = [{"code": concern, "errmsg": "waiting for replication timed out"}] if concern else []
    return BulkWriteError({"writeErrors": errors, "writeConcernErrors": concerns, "nInserted": 0})


async def insert_all(commit: GroupCommit, collection: FakeCollection, count: int) -> list[BaseException | None]:
    """One document by itself, then `count` more that gather while it is written."""
    collection.gate.clear()
    first = asyncio.create_task(commit.insert({"_id": -1}))
    await collection.writing.wait()
    others = [asyncio.create_task(commit.insert({"_id": number})) for number in range(count)]
    await asyncio.sleep(0)
    collection.gate.set()
    return await asyncio.gather(first, *others, return_exceptions=True)


async def test_returns_when_its_document_is_written(commit: GroupCommit, collection: FakeCollection) -> None:
    await commit.insert({"_id": 1, "name": "ñ"})
    assert collection.batches == [[{"_id": 1, "name": "ñ"}]]


async def test_does_not_return_before_its_document_is_written(commit: GroupCommit, collection: FakeCollection) -> None:
    collection.gate.clear()
    inserting = asyncio.create_task(commit.insert({"_id": 1}))
    await asyncio.sleep(0.01)
    assert not inserting.done()
    collection.gate.set()
    await inserting


async def test_writes_together_what_gathers_during_a_write(commit: GroupCommit, collection: FakeCollection) -> None:
    await insert_all(commit, collection, 10)
    assert [len(batch) for batch in collection.batches] == [1, 10]


async def test_bounds_a_batch_by_its_documents(commit: GroupCommit, collection: FakeCollection) -> None:
    await insert_all(commit, collection, 600)
    assert [len(batch) for batch in collection.batches] == [1, 256, 256, 88]


async def test_bounds_a_batch_by_its_bytes(commit: GroupCommit, collection: FakeCollection) -> None:
    collection.gate.clear()
    bulky = "x" * 3_000_000
    inserts = [asyncio.create_task(commit.insert({"_id": number, "text": bulky})) for number in range(6)]
    await asyncio.sleep(0)
    collection.gate.set()
    await asyncio.gather(*inserts)
    assert [len(batch) for batch in collection.batches] == [2, 2, 2]


async def test_writes_a_document_alone_that_is_larger_than_a_batch(
    commit: GroupCommit, collection: FakeCollection
) -> None:
    await asyncio.gather(commit.insert({"_id": 1, "text": "x" * 9_000_000}), commit.insert({"_id": 2}))
    assert [len(batch) for batch in collection.batches] == [1, 1]


async def test_gives_an_error_to_the_document_that_caused_it(commit: GroupCommit, collection: FakeCollection) -> None:
    collection.errors = [None, bulk_error({1: 11000, 3: 121})]
    outcomes = await insert_all(commit, collection, 5)
    assert [type(outcome) for outcome in outcomes] == [
        *(type(None), type(None), DuplicateKeyError, type(None), WriteError, type(None))
    ]
    assert "E11000" in str(outcomes[2])


@pytest.mark.parametrize("code", [91, 189, 10107, 11600, 11602, 13435, 13436])
async def test_takes_a_server_that_is_leaving_for_one_that_is_away(
    commit: GroupCommit, collection: FakeCollection, code: int
) -> None:
    collection.errors = [None, bulk_error({0: code})]
    outcomes = await insert_all(commit, collection, 2)
    assert [type(outcome) for outcome in outcomes] == [type(None), StoreUnavailableError, type(None)]


async def test_tells_nobody_that_he_is_safe_when_the_journal_did_not_answer(
    commit: GroupCommit, collection: FakeCollection
) -> None:
    collection.errors = [None, bulk_error({0: 11000}, concern=64)]
    outcomes = await insert_all(commit, collection, 3)
    assert [type(outcome) for outcome in outcomes] == [type(None), *[StoreUnavailableError] * 3]


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("connection closed"),
        NotPrimaryError("not primary"),
        PyMongoError("odd"),
        RuntimeError("a bug"),
        BulkWriteError({}),
        BulkWriteError({"writeErrors": [{"index": 99, "code": 1, "errmsg": ""}]}),
        BulkWriteError({"writeErrors": [{}]}),
    ],
    ids=repr,
)
async def test_tells_each_caller_of_a_batch_that_the_store_is_away(
    commit: GroupCommit, collection: FakeCollection, error: Exception
) -> None:
    collection.errors = [None, error]
    outcomes = await insert_all(commit, collection, 3)
    assert [type(outcome) for outcome in outcomes] == [type(None), *[StoreUnavailableError] * 3]
    assert len({id(outcome) for outcome in outcomes}) == 4


async def test_goes_on_after_a_failed_batch(commit: GroupCommit, collection: FakeCollection) -> None:
    collection.errors = [AutoReconnect("connection closed")]
    with pytest.raises(StoreUnavailableError):
        await commit.insert({"_id": 1})
    await commit.insert({"_id": 2})
    assert len(collection.batches) == 2


async def test_writes_the_others_when_one_caller_has_left(commit: GroupCommit, collection: FakeCollection) -> None:
    collection.gate.clear()
    inserts = [asyncio.create_task(commit.insert({"_id": number})) for number in range(4)]
    await asyncio.sleep(0)
    inserts[0].cancel()
    inserts[2].cancel()
    await asyncio.sleep(0)
    collection.gate.set()
    outcomes = await asyncio.gather(*inserts, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [
        *(asyncio.CancelledError, type(None), asyncio.CancelledError, type(None))
    ]


@pytest.mark.parametrize("value", [object(), 2**70, {1, 2}, "\ud800"], ids=["object", "huge", "set", "surrogate"])
async def test_keeps_a_document_that_is_no_bson_from_the_others(
    commit: GroupCommit, collection: FakeCollection, value: object
) -> None:
    good, bad = await asyncio.gather(
        commit.insert({"_id": 1}), commit.insert({"_id": 2, "value": value}), return_exceptions=True
    )
    assert good is None
    assert isinstance(bad, InvalidDocument | OverflowError | UnicodeEncodeError)
    assert collection.batches == [[{"_id": 1}]]


async def test_keeps_a_document_that_is_too_large_from_the_others(
    commit: GroupCommit, collection: FakeCollection
) -> None:
    good, bad = await asyncio.gather(
        commit.insert({"_id": 1}), commit.insert({"_id": 2, "text": "x" * 2**24}), return_exceptions=True
    )
    assert good is None
    assert isinstance(bad, DocumentTooLarge)
    assert collection.batches == [[{"_id": 1}]]


async def test_writes_in_the_name_of_no_single_request(commit: GroupCommit, collection: FakeCollection) -> None:
    with bound_contextvars(request_id="the first caller's"):
        await commit.insert({"_id": 1})
    assert collection.contexts == [{}]


async def test_leaves_no_task_behind(commit: GroupCommit) -> None:
    before = asyncio.all_tasks()
    await asyncio.gather(*(commit.insert({"_id": number}) for number in range(10)))
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
