from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pymongo
import pytest
from beanie import Document
from pydantic import SecretStr
from pymongo import IndexModel

from dev_stack.ports import free_port
from dev_stack.servers.mongod import Mongod
from service_kit.mongo.client import MongoStore, open_database
from service_kit.mongo.guard import OpenStoreError, guard_of
from service_kit.problems import StoreUnavailableError
from service_kit.settings.addresses import with_account, without_account
from service_kit.settings.stores import MongoSettings

pytestmark = pytest.mark.usefixtures("clean_environment")

PASSWORD = "p@ss/w#1"


class Page(Document):
    number: int

    class Settings:
        name = "pages"
        indexes: ClassVar = [IndexModel([("number", 1)], name="number")]


class GuardedMongod(Mongod):
    """One that asks everybody who he is."""

    def _command(self) -> list[str]:
        return [*super()._command(), "--auth"]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a guarded server, with an account."""
    with GuardedMongod(tmp_path_factory.mktemp("guarded"), free_port()) as server:
        with pymongo.MongoClient[Any](server.url) as client:
            client.admin.command("createUser", "me", pwd=PASSWORD, roles=["root"])
        yield with_account(SecretStr(server.url), "me", SecretStr(PASSWORD)).get_secret_value()


@contextmanager
def _store(address: str, **further: object) -> Iterator[MongoStore]:
    settings = MongoSettings.model_validate({"mongodb_uri": address, "mongodb_database": "guard", **further})
    store = MongoStore(open_database(settings), [Page], guard=guard_of(settings))
    try:
        yield store
    finally:
        store.database.client.close()


@pytest.fixture
def with_a_name(mongod: Mongod) -> Iterator[str]:
    """The address of a server that asks nobody, with an account that is there."""
    with pymongo.MongoClient[Any](mongod.url) as client:
        client.admin.command("createUser", "me", pwd=PASSWORD, roles=["root"])
        yield with_account(SecretStr(mongod.url), "me", SecretStr(PASSWORD)).get_secret_value()
        client.admin.command("dropUser", "me")


async def test_refuses_a_server_in_production_that_asks_nobody(with_a_name: str) -> None:
    with _store(with_a_name, environment="production") as store:
        with pytest.raises(OpenStoreError, match="ALLOW_OPEN_STORES=true"):
            await store.prepare()

        with pytest.raises(StoreUnavailableError):
            store.require_prepared()


@pytest.mark.parametrize(
    "further", [{"environment": "development"}, {"environment": "production", "allow_open_stores": True}]
)
async def test_takes_it_where_that_is_meant(with_a_name: str, further: dict[str, object]) -> None:
    with _store(with_a_name, **further) as store:
        await store.prepare()


async def test_takes_a_server_that_asks(guarded: str) -> None:
    with _store(guarded, environment="production") as store:
        await store.prepare()


@pytest.mark.parametrize(
    ("address", "stranger"),
    [
        ("mongodb://me:p%40ss@one:1,two:2/db?w=1", "mongodb://one:1,two:2/db?w=1"),
        ("mongodb+srv://me@host/?authSource=admin&tls=true", "mongodb+srv://host/?tls=true"),
        ("mongodb://host/?authMechanism=MONGODB-X509", "mongodb://host/?"),
        ("mongodb://host", "mongodb://host"),
    ],
)
def test_comes_as_a_stranger_to_the_same_server(address: str, stranger: str) -> None:
    assert without_account(SecretStr(address)).get_secret_value() == stranger
