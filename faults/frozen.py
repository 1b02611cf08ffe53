"""One of two replicas stands still while it holds locks: the other goes on, and the one that wakes claims nothing."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import asyncpg
import httpx

from dev_stack.ports import free_port
from dev_stack.servers.postgres import Postgres
from faults.clients import AGAIN_SECONDS
from faults.faults import frozen
from faults.servers import start_all, until
from faults.verdict import Verdict, in_sentences
from tests.support.system import ServiceProcess

_IDLE_SECONDS: Final = 2
"""The limit of PostgreSQL for a transaction that stands still; ten in production."""
_LONGEST_SECONDS: Final = 6.0
_PATIENCE_SECONDS: Final = 60.0
_ROWS: Final = 20
_NDJSON: Final = {"Content-Type": "application/x-ndjson"}
_DATABASE: Final = "passengers_service"
_IS_WAITING: Final = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')"


@dataclass
class Loads:
    """What was sent to the replicas.

    Attributes:
        documents: Those of the loads and edits that were answered 2xx.
        refused: Answers 503.
        failures: What must not be.
        longest_seconds: That somebody waited behind a frozen replica.
    """

    client: httpx.AsyncClient
    posts: int = 0
    accepted: int = 0
    refused: int = 0
    longest_seconds: float = 0.0
    documents: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    async def load(self, service: ServiceProcess, documents: list[str]) -> int:
        """Send one load, once."""
        self.posts += 1
        body = "".join(_row(document) for document in documents)
        answer = await self.client.post(f"{service.url}/passengers/bulk", content=body, headers=_NDJSON)
        self.accepted += answer.is_success
        self.refused += answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
        if answer.is_success:
            self.documents |= set(documents)
        elif answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            self.failures.append(f"a load was answered {answer.status_code}: {answer.text[:200]}")
        return answer.status_code

    async def load_until_accepted(self, service: ServiceProcess, documents: list[str]) -> None:
        """Send one again and again; no longer than a minute, in which nobody has to be refused."""
        began = time.monotonic()
        while await self.load(service, documents) == httpx.codes.SERVICE_UNAVAILABLE:
            await asyncio.sleep(AGAIN_SECONDS)
            if time.monotonic() > began + _PATIENCE_SECONDS:
                break
        self.longest_seconds = max(self.longest_seconds, time.monotonic() - began)


async def frozen_replica(*, seed: int, seconds: float, rate: float) -> Verdict:
    """Of two passengers_services one stands still in the middle of a load, with all its locks, and wakes later."""
    del rate  # one load after the other
    random, rounds, deadline = Random(seed), 0, time.monotonic() + seconds
    folder = Path(tempfile.mkdtemp(prefix="faults_frozen_replica_"))
    async with _opened(folder) as (store, replicas), httpx.AsyncClient(timeout=_PATIENCE_SECONDS) as client:
        loads = Loads(client)
        while rounds == 0 or time.monotonic() < deadline:
            rounds += 1
            await _freeze_one(store, random.sample(replicas, 2), loads, rounds)
        found = await _stored(store)
    if loads.longest_seconds > _LONGEST_SECONDS:
        loads.failures.append(f"a load waited {loads.longest_seconds:.1f} s, {_LONGEST_SECONDS} are allowed")
    verdict = _verdict(loads, found, seed=seed, rounds=rounds)
    if not verdict.failures:
        shutil.rmtree(folder)
    return verdict


async def _freeze_one(store: Postgres, replicas: list[ServiceProcess], loads: Loads, number: int) -> None:
    standing, awake = replicas
    known, theirs, ours = ([f"{name}{number}X{place}" for place in range(_ROWS)] for name in "KTW")
    await loads.load_until_accepted(awake, known)
    with ExitStack() as stack:
        async with _locked(store, known[-1]):
            loading = asyncio.create_task(loads.load(standing, [*theirs, *known]))
            await _until_waiting(store)
            stack.enter_context(frozen([standing]))
        # What it had waited for is its own now, and it does not know.
        await loads.load_until_accepted(awake, [*ours, *known])
    if await loading < httpx.codes.INTERNAL_SERVER_ERROR:
        loads.failures.append("a replica whose transaction was undone has said that it had stored it")
    await loads.load_until_accepted(standing, theirs)


@asynccontextmanager
async def _locked(store: Postgres, document: str) -> AsyncIterator[None]:
    """Keep one passenger locked while the block runs."""
    connection = await _connected(store)
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM passengers WHERE document_number = $1 FOR UPDATE", document)
            yield
    finally:
        await connection.close()


async def _until_waiting(store: Postgres) -> None:
    connection = await _connected(store)
    try:
        if not await until(lambda: connection.fetchval(_IS_WAITING), _PATIENCE_SECONDS):
            raise TimeoutError("the load does not wait for the passenger that is locked")
    finally:
        await connection.close()


async def _stored(store: Postgres) -> set[str]:
    connection = await _connected(store)
    try:
        return {row[0] for row in await connection.fetch("SELECT document_number FROM passengers")}
    finally:
        await connection.close()


async def _connected(store: Postgres) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(store.url, database=_DATABASE)


def _row(document: str) -> str:
    """A passenger who differs from what was sent of the same document before."""
    return (
        f'{{"document_type": "passport", "document_number": "{document}", "first_name": "Ana", "last_name": "Peña", '
        f'"birth_date": "1990-05-17", "nationality": "ES", "email": "ana{time.monotonic_ns()}@example.com"}}\n'
    )


def _verdict(loads: Loads, stored: set[str], *, seed: int, rounds: int) -> Verdict:
    lost = loads.documents - stored
    return Verdict(
        scenario="frozen_replica",
        seed=seed,
        rounds=rounds,
        posts=loads.posts,
        accepted=loads.accepted,
        refused=loads.refused,
        settled=0,
        found=len(loads.documents & stored),
        told=0,
        lost=lost,
        repeated=(),
        unexcused=(),
        longest_seconds=loads.longest_seconds,
        failures=[*loads.failures, *in_sentences("accepted, but not there", lost)],
    )


@asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[tuple[Postgres, list[ServiceProcess]]]:
    """Two passengers_services on one PostgreSQL, without a broker; every process has ended afterwards."""
    async with AsyncExitStack() as stack:
        store = Postgres(folder / "postgres", free_port(), temporary=True)
        await start_all(stack, store)
        settings = {
            "DATABASE_URL": store.url,
            "RABBITMQ_URL": f"amqp://guest:guest@127.0.0.1:{free_port()}/",
            "DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_SECONDS": str(_IDLE_SECONDS),
        }
        replicas = [ServiceProcess(folder / name, _DATABASE, **settings) for name in ("one", "other")]
        await start_all(stack, *replicas)
        yield store, replicas
