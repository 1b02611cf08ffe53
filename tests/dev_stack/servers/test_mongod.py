from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient, WriteConcern
from pymongo.errors import OperationFailure

from dev_stack.ports import answers, free_port, is_free
from dev_stack.servers.mongod import Mongod
from dev_stack.servers.server import ServerNotReadyError

JOURNALLED = WriteConcern(w="majority", j=True)


@pytest.fixture(params=[None, "rs0"], ids=["standalone", "replica_set"])
def own_mongod(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Mongod]:
    with Mongod(tmp_path, free_port(), replica_set=request.param) as server:
        yield server


def _client(server: Mongod) -> MongoClient[dict[str, Any]]:
    return MongoClient(server.url, serverSelectionTimeoutMS=5000)


def test_finds_its_journalled_writes_after_a_kill(own_mongod: Mongod) -> None:
    with _client(own_mongod) as client:
        client.get_database("shop").get_collection("orders", write_concern=JOURNALLED).insert_one({"_id": 1})
    pid = own_mongod.pid
    own_mongod.kill()
    assert not own_mongod.is_running
    own_mongod.start()
    assert own_mongod.pid != pid
    with _client(own_mongod) as client:
        assert client["shop"]["orders"].find_one() == {"_id": 1}


def test_stops_and_leaves_its_port(own_mongod: Mongod) -> None:
    own_mongod.stop()
    assert not own_mongod.is_running
    assert not answers("127.0.0.1", own_mongod.port)
    assert is_free(own_mongod.port)


def test_a_replica_set_has_transactions(mongod_replica_set: Mongod) -> None:
    with _client(mongod_replica_set) as client, client.start_session() as session, session.start_transaction():
        client["shop"]["orders"].insert_one({}, session=session)


def test_a_standalone_server_has_no_transactions(mongod: Mongod) -> None:
    with (
        _client(mongod) as client,
        client.start_session() as session,
        pytest.raises(OperationFailure, match="replica set"),
        session.start_transaction(),
    ):
        client["shop"]["orders"].insert_one({}, session=session)


def test_says_why_it_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "storage.bson").write_text("spoilt")
    with pytest.raises(ServerNotReadyError, match=r"MongoDB did not start; .*server\.log ends with"):
        Mongod(tmp_path, free_port()).start()
