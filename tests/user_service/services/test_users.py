"""The rules without HTTP."""

from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from passlib.context import CryptContext
from pydantic import SecretStr

from dev_stack.servers.mongod import Mongod
from service_kit.accounts.passwords import PasswordHasher
from service_kit.mongo.client import MongoStore, open_database
from service_kit.problems import StoreUnavailableError
from service_kit.settings.stores import MongoSettings
from user_service.models.user import NewUser, User
from user_service.services.users import UserNotFoundError, Users

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
ANA = NewUser(name="Ana", email="Ana@example.com", password=SecretStr("correct horse"))
BEA = NewUser(name="Bea", email="bea@example.com", password=SecretStr("correct horse"))
NOBODY = "665f1c2ab1e4d3a7c9f0e811"
BCRYPT = CryptContext(schemes=["bcrypt"])


@pytest.fixture
async def store(mongod: Mongod) -> AsyncIterator[MongoStore]:
    settings = MongoSettings(mongodb_uri=SecretStr(mongod.url), mongodb_database=f"users_{uuid4().hex}")
    store = MongoStore(open_database(settings), [User])
    yield store
    await store.database.client.drop_database(settings.mongodb_database)
    store.database.client.close()


@pytest.fixture
async def users(store: MongoStore) -> AsyncIterator[Users]:
    await store.prepare()
    with closing(PasswordHasher(4, threads=1)) as hasher:
        yield Users(store, hasher)


async def test_changes_the_key_with_the_address(users: Users) -> None:
    user = await users.register(ANA, now=NOW)

    changed = await users.change(str(user.id), {"email": "Ana.Peña@example.com"}, accepted=[1], now=LATER)

    assert changed.email_key == "ana.peña@example.com"


async def test_changes_a_password_to_another_hash(users: Users) -> None:
    user = await users.register(ANA, now=NOW)

    changed = await users.change(str(user.id), {"password": SecretStr("battery staple")}, accepted=None, now=LATER)

    assert BCRYPT.verify("battery staple", changed.password_hash)


@pytest.mark.parametrize("user_id", [NOBODY, "not-an-id", "", "\0", "ñ😀"])
async def test_finds_nobody_under_an_unknown_id(users: Users, user_id: str) -> None:
    with pytest.raises(UserNotFoundError):
        await users.read(user_id)
    with pytest.raises(UserNotFoundError):
        await users.change(user_id, {"name": "Ana"}, accepted=[1], now=LATER)
    with pytest.raises(UserNotFoundError):
        await users.remove(user_id, accepted=None)


async def test_does_nothing_before_the_unique_index_exists(store: MongoStore) -> None:
    with closing(PasswordHasher(4, threads=1)) as hasher, pytest.raises(StoreUnavailableError):
        await Users(store, hasher).register(ANA, now=NOW)
