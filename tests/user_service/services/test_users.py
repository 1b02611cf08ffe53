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
from service_kit.api.etags import StaleEditError
from service_kit.mongo.client import MongoStore, open_database
from service_kit.problems import StoreUnavailableError
from service_kit.settings import MongoSettings
from user_service.models.user import NewUser, User
from user_service.services.users import EmailTakenError, UserNotFoundError, Users

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


async def test_registers_a_user_with_a_hash_and_without_the_password(users: Users) -> None:
    user = await users.register(ANA, now=NOW)

    assert BCRYPT.verify("correct horse", user.password_hash)
    assert "correct horse" not in user.model_dump_json()
    assert (user.version, user.created_at, user.updated_at) == (1, NOW, NOW)


async def test_refuses_a_second_user_with_the_same_email_in_other_letters(users: Users) -> None:
    await users.register(ANA, now=NOW)

    with pytest.raises(EmailTakenError):
        await users.register(ANA.model_copy(update={"email": "ANA@EXAMPLE.com"}), now=NOW)


async def test_changes_the_fields_given_and_keeps_the_others(users: Users) -> None:
    before = await users.register(ANA, now=NOW)

    after = await users.change(str(before.id), {"name": "Ana María"}, accepted=None, now=LATER)

    assert after == before.model_copy(update={"name": "Ana María", "version": 2, "updated_at": LATER})


async def test_changes_the_key_with_the_address(users: Users) -> None:
    user = await users.register(ANA, now=NOW)

    changed = await users.change(str(user.id), {"email": "Ana.Peña@example.com"}, accepted=[1], now=LATER)

    assert changed.email_key == "ana.peña@example.com"


async def test_changes_a_password_to_another_hash(users: Users) -> None:
    user = await users.register(ANA, now=NOW)

    changed = await users.change(str(user.id), {"password": SecretStr("battery staple")}, accepted=None, now=LATER)

    assert BCRYPT.verify("battery staple", changed.password_hash)


async def test_refuses_to_take_another_users_address(users: Users) -> None:
    await users.register(ANA, now=NOW)
    bea = await users.register(BEA, now=NOW)

    with pytest.raises(EmailTakenError):
        await users.change(str(bea.id), {"email": "ANA@example.com"}, accepted=None, now=LATER)


@pytest.mark.parametrize("accepted", [[], [2], [7, 8]])
async def test_refuses_an_edit_of_another_version(users: Users, accepted: list[int]) -> None:
    user = await users.register(ANA, now=NOW)

    with pytest.raises(StaleEditError):
        await users.change(str(user.id), {"name": "Ana María"}, accepted=accepted, now=LATER)
    with pytest.raises(StaleEditError):
        await users.remove(str(user.id), accepted=accepted)
    assert await users.read(str(user.id)) == user


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
