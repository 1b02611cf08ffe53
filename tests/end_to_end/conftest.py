"""Our services as real processes on real servers, and callers who hammer them."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx
import pytest
from pymongo import MongoClient

from dev_stack.ports import free_port
from dev_stack.servers.mongod import Mongod
from dev_stack.servers.postgres import Postgres
from dev_stack.servers.rabbitmq import RabbitNode
from dev_stack.services import SERVICES
from tests.support.system import WISH, ServiceProcess

DATABASE: Final = "end_to_end"
API_NAMES: Final = tuple(service.name for service in SERVICES if service.kind == "api" and not service.has_accounts)
"""Of the APIs whose callers have a key."""
PATIENCE_SECONDS: Final = 30.0


@pytest.fixture(scope="session")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    """A RabbitMQ of our own: our consumer would take what other tests put into `orders_queue`."""
    with RabbitNode(tmp_path_factory.mktemp("rabbit"), free_port()) as server:
        yield server


@pytest.fixture(scope="session")
def addresses(mongod: Mongod, rabbit: RabbitNode) -> dict[str, str]:
    """The settings by which our services find their servers."""
    return {"MONGODB_URI": mongod.url, "MONGODB_DATABASE": DATABASE, "RABBITMQ_URL": rabbit.url}


@dataclass(frozen=True)
class Apis:
    """Those APIs on databases of their own, which let only callers with the key in.

    Attributes:
        processes: By the name of the service.
        key: The `X-API-Key`.
    """

    processes: Mapping[str, ServiceProcess]
    key: str

    def url(self, service: str) -> str:
        return self.processes[service].url

    def client(self, service: str) -> httpx.Client:
        return httpx.Client(base_url=self.url(service), headers={"X-API-Key": self.key}, timeout=PATIENCE_SECONDS)


@pytest.fixture(scope="session")
def apis(addresses: dict[str, str], postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apis]:
    """Those APIs, running."""
    settings = {"RABBITMQ_URL": addresses["RABBITMQ_URL"], "API_KEY": "a-key", "BCRYPT_ROUNDS": "4"}
    stores = {"MONGODB_URI": addresses["MONGODB_URI"], "DATABASE_URL": postgres.url}
    with ExitStack() as running:
        processes = {
            name: ServiceProcess(
                tmp_path_factory.mktemp(name),
                name,
                **(settings | stores | {"MONGODB_DATABASE": f"apis_{name}", "DATABASE_NAME": f"apis_{name}"}),
            )
            for name in API_NAMES
        }
        for process in processes.values():
            process.spawn()
            running.callback(process.stop)
        for process in processes.values():
            process.wait_until_ready()
        yield Apis(processes, settings["API_KEY"])


def _kept_running(process: ServiceProcess) -> ServiceProcess:
    if not process.is_running:
        process.start()
    return process


@pytest.fixture(scope="session")
def _orders_process(addresses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    process = ServiceProcess(tmp_path_factory.mktemp("orders"), "orders_service", **addresses)
    yield process
    process.stop()


@pytest.fixture(scope="session")
def _notifications_process(
    addresses: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    process = ServiceProcess(tmp_path_factory.mktemp("notifications"), "notifications_service", **addresses)
    yield process
    process.stop()


@pytest.fixture
def orders(_orders_process: ServiceProcess) -> ServiceProcess:
    """orders_service, running; a test may end it."""
    return _kept_running(_orders_process)


@pytest.fixture
def notifications(_notifications_process: ServiceProcess) -> ServiceProcess:
    """notifications_service, running; a test may end it."""
    return _kept_running(_notifications_process)


@pytest.fixture
def waiting_events(mongod: Mongod) -> Iterator[Callable[[], int]]:
    """How many orders have an event that waits in their outbox."""
    with MongoClient[dict[str, Any]](mongod.url) as client:
        yield lambda: client[DATABASE].orders.count_documents({"outbox.0": {"$exists": True}})


def until(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for a condition that other processes bring about."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def place(orders: ServiceProcess, **headers: str) -> httpx.Response:
    """Post an order."""
    return httpx.post(f"{orders.url}/orders", json=WISH, headers=headers)


class Crowd:
    """Callers who post orders one after the other until they are told to go home.

    Attributes:
        accepted: Ids of the orders that were answered 201.
        refused: Statuses of all other answers.
    """

    def __init__(self, urls: list[str], size: int = 16) -> None:
        self._urls = urls
        self._size = size
        self._going_home = asyncio.Event()
        self.accepted: list[str] = []
        self.refused: list[int] = []

    async def __aenter__(self) -> Self:
        self._callers = [asyncio.create_task(self._call(self._urls[n % len(self._urls)])) for n in range(self._size)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._going_home.set()
        await asyncio.gather(*self._callers)

    async def has_placed(self, count: int) -> None:
        """Return once so many orders were accepted."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.accepted) < count:  # noqa: ASYNC110 - many callers change it
                await asyncio.sleep(0.01)

    async def _call(self, url: str) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=10) as client:
            while not self._going_home.is_set():
                try:
                    answer = await client.post("/orders", json=WISH)
                except httpx.TransportError:  # the service is gone: nothing was promised
                    await asyncio.sleep(0.05)
                    continue
                if answer.status_code == httpx.codes.CREATED:
                    self.accepted.append(answer.json()["id"])
                else:
                    self.refused.append(answer.status_code)
