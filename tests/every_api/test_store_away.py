"""Its store goes and comes again; the service stays."""

import asyncio
from pathlib import Path

import httpx

from dev_stack.ports import free_port
from dev_stack.servers.mongod import Mongod
from dev_stack.servers.postgres import Postgres
from tests.every_api.apis import EXAMPLE_PASSENGER, Api, Operation, operations_of
from tests.support.api_client import client_of, is_ready
from tests.support.rabbit_support import until

_SECONDS = 8.0


def store_of(api: Api, folder: Path) -> Mongod | Postgres:
    """A server of its kind that a test may stop."""
    return Postgres(folder, free_port(), temporary=True) if api.is_on_postgres else Mongod(folder, free_port())


async def call(client: httpx.AsyncClient, operation: Operation, ids: dict[str, str]) -> httpx.Response:
    body, content_type = operation.body
    path, headers = operation.path.format(**ids), {"Content-Type": content_type}
    return await client.request(operation.method, path, content=body, headers=headers)


async def test_answers_503_within_seconds_while_its_store_is_away_and_goes_on_when_it_is_back(
    api: Api, tmp_path: Path
) -> None:
    with store_of(api, tmp_path) as server:
        settings = api.settings(api.environment(server.url, "away", keys=""))
        await api.prepare(settings)
        async with client_of(api.build(settings)) as client:
            await until(lambda: is_ready(client))
            operations = list(operations_of((await client.get("/openapi.json")).json()))
            [(name, collection)] = api.makes.items()
            [make] = [one for one in operations if (one.method, one.path) == ("POST", collection)]
            made = (await call(client, make, {})).json()
            ids = {"passenger_id": EXAMPLE_PASSENGER, name: made["id"]}
            await asyncio.to_thread(server.stop)
            async with asyncio.timeout(_SECONDS):
                answers = await asyncio.gather(*(call(client, one, ids) for one in operations))
                live = await client.get("/health/live")
            await asyncio.to_thread(server.start)
            await until(lambda: is_ready(client))
            back = [await client.get(f"{collection.rstrip('/')}/{made['id']}") for _ in range(10)]

    assert {str(one): answer.status_code for one, answer in zip(operations, answers, strict=True)} == {
        str(one): 503 for one in operations
    }
    assert all(answer.headers["retry-after"] for answer in answers)
    assert live.status_code == 200
    assert [answer.json() for answer in back] == [made] * 10


async def test_starts_before_its_store_and_is_ready_once_that_is_there(api: Api, tmp_path: Path) -> None:
    server = store_of(api, tmp_path)
    settings, collection = api.settings(api.environment(server.url, "late", keys="")), next(iter(api.makes.values()))
    async with client_of(api.build(settings)) as client:
        early, live = await client.get(collection), await client.get("/health/live")
        with server:
            await until(lambda: is_ready(client))
            late = await client.get(collection)

    assert (early.status_code, live.status_code, late.status_code) == (503, 200, 200)
