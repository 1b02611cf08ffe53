"""The real app without a socket, on a real MongoDB and a real RabbitMQ; each test finds both empty."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aio_pika
import httpx
import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from dev_stack.servers.mongod import Mongod
from dev_stack.servers.rabbitmq import RabbitNode
from orders_service.config.rabbit import ORDERS_QUEUE
from orders_service.config.settings import OrdersSettings
from orders_service.main import build
from service_kit.messaging.events import Event, decode_event
from tests.support.api_client import client_of
from tests.support.rabbit_support import until

JsonObject = dict[str, Any]
Stored = AsyncCollection[JsonObject]

MUG: JsonObject = {"sku": "MUG-01", "name": "Coffee mug", "quantity": 3, "unit_price": "19.99"}
WISH: JsonObject = {"items": [MUG], "currency": "EUR"}

PATIENCE_SECONDS = 10.0
"""Less than an outbox lease: what waits for one to end is too slow."""


class OrdersQueue:
    """`orders_queue`, read as any stranger could."""

    def __init__(self, channel: aio_pika.abc.AbstractChannel) -> None:
        self._channel = channel

    async def _declared(self) -> aio_pika.abc.AbstractQueue:
        return await self._channel.declare_queue(ORDERS_QUEUE.queue, passive=True)

    async def empty(self) -> None:
        await ORDERS_QUEUE.declare(self._channel)
        await (await self._declared()).purge()

    async def count(self) -> int:
        return (await self._declared()).declaration_result.message_count or 0

    async def next(self) -> Event:
        """The next event, waited for."""
        queue = await self._declared()
        message = None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while message is None:
                message = await queue.get(no_ack=True, fail=False)
        return decode_event(message.body)


@pytest.fixture
async def queue(rabbit: RabbitNode) -> AsyncIterator[OrdersQueue]:
    """The queue, emptied."""
    async with await aio_pika.connect(rabbit.url) as connection:
        queue = OrdersQueue(await connection.channel())
        await queue.empty()
        yield queue


@pytest.fixture
def settings(mongod: Mongod, rabbit: RabbitNode) -> OrdersSettings:
    """The settings of the app; a test may override this fixture."""
    return OrdersSettings.model_validate(
        {"mongodb_uri": mongod.url, "rabbitmq_url": rabbit.url, "mongodb_database": "orders_service_tests"}
    )


@pytest.fixture
async def stored(settings: OrdersSettings) -> AsyncIterator[Stored]:
    """The collection of the orders as MongoDB keeps them, emptied."""
    async with AsyncMongoClient[JsonObject](settings.mongodb_uri.get_secret_value(), tz_aware=True) as client:
        orders = client[settings.mongodb_database].orders
        await orders.delete_many({})
        yield orders


@pytest.fixture
async def api(settings: OrdersSettings, stored: Stored) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app, which is ready."""
    assert stored is not None
    app = build(settings)
    async with client_of(app) as api:
        await until(lambda: is_ready(api))
        yield api


async def is_ready(api: httpx.AsyncClient) -> bool:
    return bool((await api.get("/health/ready")).json()["status"] == "ok")


@pytest.fixture
def all_sent(stored: Stored) -> Callable[[], Awaitable[None]]:
    """Returns once no event waits in an outbox."""

    async def wait() -> None:
        async def is_empty() -> bool:
            return await stored.count_documents({"outbox.0": {"$exists": True}}) == 0

        await until(is_empty)

    return wait


async def place(api: httpx.AsyncClient, *, key: str | None = None, **changes: object) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await api.post("/orders", json={**WISH, **changes}, headers=headers)


async def placed(api: httpx.AsyncClient, **changes: object) -> JsonObject:
    order: JsonObject = (await place(api, key=None, **changes)).json()
    return order


def code_of(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["type"]).removeprefix("urn:problem-type:")
