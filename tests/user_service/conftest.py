"""The real app without a socket, on a real MongoDB; each test has a database of its own."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from dev_stack.servers.mongod import Mongod
from tests.support.api_client import client_of, is_ready
from tests.support.rabbit_support import until
from user_service.config.settings import UserSettings
from user_service.main import build

JsonObject = dict[str, Any]
Stored = AsyncCollection[JsonObject]

PASSWORD = "correct horse battery staple"
NOBODY = "665f1c2ab1e4d3a7c9f0e811"


def settings_for(url: str) -> UserSettings:
    database = f"users_{uuid4().hex}"
    return UserSettings.model_validate({"mongodb_uri": url, "mongodb_database": database, "bcrypt_rounds": 4})


@pytest.fixture
def settings(mongod: Mongod) -> UserSettings:
    return settings_for(mongod.url)


@pytest.fixture
async def stored(settings: UserSettings) -> AsyncIterator[Stored]:
    """The collection of the users as MongoDB keeps them."""
    async with AsyncMongoClient[JsonObject](settings.mongodb_uri.get_secret_value(), tz_aware=True) as client:
        yield client[settings.mongodb_database].users
        await client.drop_database(settings.mongodb_database)


@pytest.fixture
async def api(settings: UserSettings, stored: Stored) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app, which is ready."""
    assert stored is not None
    async with calling(settings) as api:
        await until(lambda: is_ready(api))
        yield api


def calling(settings: UserSettings) -> AbstractAsyncContextManager[httpx.AsyncClient]:
    """A client of an app that has started."""
    return client_of(build(settings))


async def register(api: httpx.AsyncClient, **changes: object) -> httpx.Response:
    new_user = {"name": "Ana Peña", "email": "Ana@example.com", "password": PASSWORD, **changes}
    return await api.post("/users/", json=new_user)


async def registered(api: httpx.AsyncClient, **changes: object) -> JsonObject:
    answer = await register(api, **changes)
    assert answer.status_code == 201, answer.text
    user: JsonObject = answer.json()
    return user


def code_of(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["type"]).removeprefix("urn:problem-type:")
