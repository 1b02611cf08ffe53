"""A MongoDB replica set of three members on one machine."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient

from dev_stack.ports import LOOPBACK, answers, free_port
from dev_stack.servers.mongod import Mongod

_NAME: Final = "three"
_QUICK: Final = {"heartbeatIntervalMillis": 300, "electionTimeoutMillis": 1000}
_ELECTION_MS: Final = 30_000


class Member(Mongod):
    """One that is made a part of its set from outside."""

    def is_ready(self) -> bool:
        return answers(LOOPBACK, self.port)

    def _command(self) -> list[str]:
        return [*super()._command(), "--oplogSize", "64"]


@contextmanager
def three_members(folder: Path) -> Iterator[str]:
    """The address of a set whose primary takes writes."""
    members = [Member(folder / f"member_{number}", free_port(), replica_set=_NAME) for number in range(3)]
    with ExitStack() as stack:
        for member in members:
            stack.callback(member.kill)  # its data is not needed any more
            member.spawn()
        for member in members:
            member.wait_until_ready()
        _initiate(members)
        yield f"mongodb://{','.join(_hosts(members))}/?replicaSet={_NAME}"


def _hosts(members: Sequence[Member]) -> list[str]:
    return [f"{LOOPBACK}:{member.port}" for member in members]


def _initiate(members: Sequence[Member]) -> None:
    hosts = _hosts(members)
    config = {
        "_id": _NAME,
        "members": [{"_id": number, "host": host, "priority": 2 - number} for number, host in enumerate(hosts)],
        "settings": _QUICK,
    }
    with MongoClient[dict[str, Any]](hosts[0], directConnection=True) as client:
        client.admin.command("replSetInitiate", config)
    with MongoClient[dict[str, Any]](hosts, replicaSet=_NAME, serverSelectionTimeoutMS=_ELECTION_MS) as client:
        client.admin.command("ping")  # answered by a primary alone
