import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from dev_stack.servers.mongod import Mongod
from service_kit.clock import utc_now
from service_kit.mongo import clock as mongo_clock
from service_kit.mongo.client import MongoDatabase, open_database
from service_kit.mongo.clock import ServerClock
from service_kit.problems import StoreUnavailableError
from service_kit.settings.stores import MongoSettings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class FakeServer:
    """A server whose clock has nothing to do with ours, and whose answers take their time.

    Attributes:
        now: What its clock shows, without a zone, as a command answers it.
        asked: How often.
        seconds: That pass on our way there, and again on the way back.
    """

    def __init__(self) -> None:
        self.now = NOON.replace(tzinfo=None)
        self.asked = 0
        self.seconds = 0.0
        self.passed = 1000.0

    def pass_by(self, seconds: float) -> None:
        self.passed += seconds
        self.now += timedelta(seconds=seconds)

    async def command(self, name: str) -> dict[str, Any]:
        assert name == "hello"
        self.asked += 1
        self.pass_by(self.seconds)
        shown = self.now
        self.pass_by(self.seconds)
        return {"localTime": shown}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    server = FakeServer()
    monkeypatch.setattr(mongo_clock, "monotonic", lambda: server.passed)
    return server


@pytest.fixture
def clock(server: FakeServer) -> ServerClock:
    return ServerClock(server)  # type: ignore[arg-type]  # a fake


async def test_reckons_on_from_the_servers_answer(server: FakeServer, clock: ServerClock) -> None:
    await clock.ask()
    server.pass_by(90)

    assert clock.at_least() == clock.at_most() == NOON + timedelta(seconds=90)
    assert server.asked == 1


async def test_is_right_on_both_sides_however_long_an_answer_takes(server: FakeServer, clock: ServerClock) -> None:
    server.seconds = 3
    await clock.ask()
    server.pass_by(10)

    shown = server.now.replace(tzinfo=UTC)
    assert clock.at_least() == shown - timedelta(seconds=3)
    assert clock.at_most() == shown + timedelta(seconds=3)


async def test_asks_again_after_a_second_and_follows_a_clock_that_was_set(
    server: FakeServer, clock: ServerClock
) -> None:
    await clock.fresh()
    server.now -= timedelta(hours=1)
    await clock.fresh()
    assert server.asked == 1

    server.pass_by(1.5)

    assert (await clock.fresh()).at_least() == NOON - timedelta(hours=1) + timedelta(seconds=1.5)
    assert server.asked == 2


def test_does_not_guess_before_the_first_answer(clock: ServerClock) -> None:
    with pytest.raises(StoreUnavailableError):
        clock.at_least()


@pytest.fixture
async def database(mongod: Mongod) -> AsyncIterator[MongoDatabase]:
    database = open_database(MongoSettings(mongodb_uri=SecretStr(mongod.url), mongodb_database=f"t{uuid4().hex}"))
    yield database
    database.client.close()


async def test_shows_the_time_of_a_real_server(database: MongoDatabase) -> None:
    clock = await ServerClock(database).fresh()
    await asyncio.sleep(0)

    before = clock.at_least()
    now = utc_now()  # of the same machine

    assert before - timedelta(milliseconds=2) <= now <= clock.at_most() + timedelta(milliseconds=2)
