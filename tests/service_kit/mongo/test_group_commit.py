import asyncio
from typing import Any, Self

import pytest
from bson.errors import InvalidDocument
from pymongo import WriteConcern
from pymongo.errors import (
    AutoReconnect,
    DocumentTooLarge,
    DuplicateKeyError,
    NetworkTimeout,
    NotPrimaryError,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteError,
)
from structlog.contextvars import bound_contextvars, get_contextvars

from service_kit.mongo.group_commit import GroupCommit
from service_kit.problems import StoreUnavailableError

JsonObject = dict[str, Any]
Batch = list[JsonObject]
Outcome = Exception | JsonObject | None


class FakeStore:
    """Remembers batches; answers them when its gate is open, with what it is told.

    Attributes:
        batches: The documents of each write.
        writing: Set by the first write.
        outcomes: Of the next writes, in turn: an error that is raised, or the server's reply; `None` is a write that
            succeeds.
        doubts: How often it was doubted that the collection is the one that was prepared.
    """

    write_concern = WriteConcern("majority", j=True)

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.outcomes: list[Outcome] = []
        self.doubts = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.writing = asyncio.Event()
        self.contexts: list[dict[str, Any]] = []

    @property
    def database(self) -> Self:
        return self

    def only_prepared(self, collection: str) -> JsonObject:
        return {"collectionUUID": f"that of {collection}"}

    def invalidate(self) -> None:
        self.doubts += 1

    async def command(self, command: JsonObject) -> JsonObject:
        documents = command.pop("documents")
        assert command == {
            "insert": "things",
            "ordered": False,
            "writeConcern": {"w": "majority", "j": True},
            "collectionUUID": "that of things",
        }
        self.writing.set()
        self.batches.append([dict(document) for document in documents])
        self.contexts.append(get_contextvars())
        await self.gate.wait()
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome or {"n": len(documents), "ok": 1.0}


@pytest.fixture
async def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
async def commit(store: FakeStore) -> GroupCommit:
    return GroupCommit(store, "things")  # type: ignore[arg-type]  # a fake


def reply(write_errors: dict[int, int], *, concern: int | None = None) -> JsonObject:
    """What the server says when documents (by index) have failed with codes."""
    errors = [{"index": index, "code": code, "errmsg": f"E{code}"} for index, code in write_errors.items()]
    late = {"writeConcernError": {"code": concern, "errmsg": "waiting for replication timed out"}} if concern else {}
    return {"writeErrors": errors, "n": 0, "ok": 1.0, **late}


async def insert_all(commit: GroupCommit, store: FakeStore, count: int) -> list[BaseException | None]:
    """One document by itself, then `count` more that gather while it is written."""
    store.gate.clear()
    first = asyncio.create_task(commit.insert({"_id": -1}))
    await store.writing.wait()
    others = [asyncio.create_task(commit.insert({"_id": number})) for number in range(count)]
    await asyncio.sleep(0)
    store.gate.set()
    return await asyncio.gather(first, *others, return_exceptions=True)


async def test_returns_when_its_document_is_written(commit: GroupCommit, store: FakeStore) -> None:
    await commit.insert({"_id": 1, "name": "ñ"})
    assert store.batches == [[{"_id": 1, "name": "ñ"}]]


async def test_does_not_return_before_its_document_is_written(commit: GroupCommit, store: FakeStore) -> None:
    store.gate.clear()
    inserting = asyncio.create_task(commit.insert({"_id": 1}))
    await asyncio.sleep(0.01)
    assert not inserting.done()
    store.gate.set()
    await inserting


async def test_writes_together_what_gathers_during_a_write(commit: GroupCommit, store: FakeStore) -> None:
    await insert_all(commit, store, 10)
    assert [len(batch) for batch in store.batches] == [1, 10]


async def test_bounds_a_batch_by_its_documents(commit: GroupCommit, store: FakeStore) -> None:
    await insert_all(commit, store, 600)
    assert [len(batch) for batch in store.batches] == [1, 256, 256, 88]


async def test_bounds_a_batch_by_its_bytes(commit: GroupCommit, store: FakeStore) -> None:
    store.gate.clear()
    bulky = "x" * 3_000_000
    inserts = [asyncio.create_task(commit.insert({"_id": number, "text": bulky})) for number in range(6)]
    await asyncio.sleep(0)
    store.gate.set()
    await asyncio.gather(*inserts)
    assert [len(batch) for batch in store.batches] == [2, 2, 2]


async def test_writes_a_document_alone_that_is_larger_than_a_batch(commit: GroupCommit, store: FakeStore) -> None:
    await asyncio.gather(commit.insert({"_id": 1, "text": "x" * 9_000_000}), commit.insert({"_id": 2}))
    assert [len(batch) for batch in store.batches] == [1, 1]


async def test_gives_an_error_to_the_document_that_caused_it(commit: GroupCommit, store: FakeStore) -> None:
    store.outcomes = [None, reply({1: 11000, 3: 121})]
    outcomes = await insert_all(commit, store, 5)
    assert [type(outcome) for outcome in outcomes] == [
        *(type(None), type(None), DuplicateKeyError, type(None), WriteError, type(None))
    ]
    assert "E11000" in str(outcomes[2])


@pytest.mark.parametrize("code", [91, 189, 10107, 11600, 11602, 13435, 13436])
async def test_takes_a_server_that_is_leaving_for_one_that_is_away(
    commit: GroupCommit, store: FakeStore, code: int
) -> None:
    store.outcomes = [None, reply({0: code})]
    outcomes = await insert_all(commit, store, 2)
    assert [type(outcome) for outcome in outcomes] == [type(None), StoreUnavailableError, type(None)]


async def test_tells_nobody_that_he_is_safe_when_the_journal_did_not_answer(
    commit: GroupCommit, store: FakeStore
) -> None:
    store.outcomes = [None, reply({0: 11000}, concern=64)]
    outcomes = await insert_all(commit, store, 3)
    assert [type(outcome) for outcome in outcomes] == [type(None), *[StoreUnavailableError] * 3]


@pytest.mark.parametrize(
    "outcome",
    [
        AutoReconnect("connection closed"),
        NotPrimaryError("not primary"),
        PyMongoError("odd"),
        RuntimeError("a bug"),
        {"writeErrors": [{"index": 99, "code": 1, "errmsg": ""}]},
        {"writeErrors": [{}]},
    ],
    ids=repr,
)
async def test_tells_each_caller_of_a_batch_that_the_store_is_away(
    commit: GroupCommit, store: FakeStore, outcome: Outcome
) -> None:
    store.outcomes = [None, outcome, outcome]
    outcomes = await insert_all(commit, store, 3)
    assert [type(outcome) for outcome in outcomes] == [type(None), *[StoreUnavailableError] * 3]
    assert len({id(outcome) for outcome in outcomes}) == 4


async def test_goes_on_after_a_failed_batch(commit: GroupCommit, store: FakeStore) -> None:
    store.outcomes = [AutoReconnect("connection closed")] * 2
    with pytest.raises(StoreUnavailableError):
        await commit.insert({"_id": 1})
    await commit.insert({"_id": 2})
    assert len(store.batches) == 3


@pytest.mark.parametrize(
    "interruption",
    [AutoReconnect("connection closed"), NotPrimaryError("stepped down"), reply({}, concern=11602)],
    ids=["connection", "primary", "concern"],
)
async def test_writes_a_batch_once_more_and_knows_what_was_stored_at_the_first_try(
    commit: GroupCommit, store: FakeStore, interruption: Outcome
) -> None:
    again = reply({1: 11000, 3: 11000})
    again["writeErrors"][0]["keyPattern"] = {"_id": 1}
    again["writeErrors"][1]["keyPattern"] = {"idempotency.key": 1}
    store.outcomes = [None, interruption, again]

    outcomes = await insert_all(commit, store, 4)

    assert [type(outcome) for outcome in outcomes] == [*[type(None)] * 4, DuplicateKeyError]
    assert store.batches[1] == store.batches[2]


@pytest.mark.parametrize("error", [NetworkTimeout("10 s"), ServerSelectionTimeoutError("2 s")], ids=repr)
async def test_lets_nobody_wait_twice_for_a_server_that_is_silent(
    commit: GroupCommit, store: FakeStore, error: Exception
) -> None:
    store.outcomes = [error]
    with pytest.raises(StoreUnavailableError):
        await commit.insert({"_id": 1})
    assert len(store.batches) == 1


async def test_stores_nothing_in_a_collection_that_was_made_since_and_doubts_the_store(
    commit: GroupCommit, store: FakeStore
) -> None:
    store.outcomes = [None, reply({0: 361, 1: 361})]
    outcomes = await insert_all(commit, store, 2)
    assert [type(outcome) for outcome in outcomes] == [type(None), *[StoreUnavailableError] * 2]
    assert store.doubts == 1


async def test_writes_the_others_when_one_caller_has_left(commit: GroupCommit, store: FakeStore) -> None:
    store.gate.clear()
    inserts = [asyncio.create_task(commit.insert({"_id": number})) for number in range(4)]
    await asyncio.sleep(0)
    inserts[0].cancel()
    inserts[2].cancel()
    await asyncio.sleep(0)
    store.gate.set()
    outcomes = await asyncio.gather(*inserts, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [
        *(asyncio.CancelledError, type(None), asyncio.CancelledError, type(None))
    ]


@pytest.mark.parametrize("value", [object(), 2**70, {1, 2}, "\ud800"], ids=["object", "huge", "set", "surrogate"])
async def test_keeps_a_document_that_is_no_bson_from_the_others(
    commit: GroupCommit, store: FakeStore, value: object
) -> None:
    good, bad = await asyncio.gather(
        commit.insert({"_id": 1}), commit.insert({"_id": 2, "value": value}), return_exceptions=True
    )
    assert good is None
    assert isinstance(bad, InvalidDocument | OverflowError | UnicodeEncodeError)
    assert store.batches == [[{"_id": 1}]]


async def test_keeps_a_document_that_is_too_large_from_the_others(commit: GroupCommit, store: FakeStore) -> None:
    good, bad = await asyncio.gather(
        commit.insert({"_id": 1}), commit.insert({"_id": 2, "text": "x" * 2**24}), return_exceptions=True
    )
    assert good is None
    assert isinstance(bad, DocumentTooLarge)
    assert store.batches == [[{"_id": 1}]]


async def test_writes_in_the_name_of_no_single_request(commit: GroupCommit, store: FakeStore) -> None:
    with bound_contextvars(request_id="the first caller's"):
        await commit.insert({"_id": 1})
    assert store.contexts == [{}]


async def test_leaves_no_task_behind(commit: GroupCommit) -> None:
    before = asyncio.all_tasks()
    await asyncio.gather(*(commit.insert({"_id": number}) for number in range(10)))
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
