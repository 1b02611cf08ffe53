"""A change on one side, until it can be read on the other, at 100 changes a second."""

import asyncio
import time
from collections.abc import Callable, Sequence
from statistics import quantiles
from typing import Any, Final

import asyncpg
import httpx

from benchmarks.harness.processes import Contender
from benchmarks.harness.row import Row, row_of
from benchmarks.harness.testbed import Site
from benchmarks.measures.passengers import passengers

_PASSENGERS: Final = 500
_A_SECOND: Final = 100
_SECONDS: Final = 10
_LOOK_SECONDS: Final = 0.005
_PATIENCE_SECONDS: Final = 60
_LIMIT_MS: Final = 500

_SIDES: Final = ("passengers", "reservations")


def measure(site: Site) -> Sequence[Row]:
    """Milliseconds from the answer to the copy, 99th percentile, each way."""
    passengers_service = site.ours("passengers_service", "passengers")
    reservations_service = site.ours("reservations_service", "reservations")
    both = {"passengers": passengers_service, "reservations": reservations_service}
    return asyncio.run(_measure(site, both))


async def _measure(site: Site, both: dict[str, Contender]) -> list[Row]:
    copies = {side: await asyncpg.connect(site.postgres.url, database=side) for side in _SIDES}
    async with httpx.AsyncClient(timeout=30) as client:
        rows = await _register(client, both["passengers"])
        await _until(lambda: _count(copies["reservations"]), len(rows))
        p99s: dict[str, list[float]] = {side: [] for side in _SIDES}
        for _ in range(site.rounds):
            for here, there in (_SIDES, _SIDES[::-1]):
                waits = await _change(client, both[here].url, rows, copies[there])
                p99s[here].append(quantiles(waits, n=100)[98])
                site.say(f"{here} to {there}: p50 {quantiles(waits, n=2)[0]:.0f} ms, p99 {p99s[here][-1]:.0f} ms")
    return [
        row_of(f"sync_from_{side}", "ms, p99", {"ours": p99s[side]}, {"ours": _LIMIT_MS}, more_is_better=False)
        for side in _SIDES
    ]


async def _register(client: httpx.AsyncClient, service: Contender) -> list[dict[str, Any]]:
    answers = [await client.post(f"{service.url}/passengers", json=row) for row in passengers(_PASSENGERS)]
    return [answer.raise_for_status().json() for answer in answers]


async def _count(copy: "asyncpg.Connection[asyncpg.Record]") -> int:
    counted: int = await copy.fetchval("SELECT count(*) FROM passengers WHERE is_complete")
    return counted


async def _until(count: Callable[[], Any], wanted: int) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while await count() < wanted:  # noqa: ASYNC110 - another process brings it about
            await asyncio.sleep(_LOOK_SECONDS)


async def _change(
    client: httpx.AsyncClient, url: str, rows: list[dict[str, Any]], copy: "asyncpg.Connection[asyncpg.Record]"
) -> list[float]:
    """Milliseconds that each change needed."""
    answered: dict[str, tuple[str, float]] = {}
    waits: list[float] = []
    watching = asyncio.create_task(_watch(copy, answered, waits, _A_SECOND * _SECONDS))
    async with asyncio.TaskGroup() as group:
        for number in range(_A_SECOND * _SECONDS):
            group.create_task(_edit(client, url, rows[number % len(rows)], answered))
            await asyncio.sleep(1 / _A_SECOND)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await watching
    return waits


async def _edit(
    client: httpx.AsyncClient, url: str, row: dict[str, Any], answered: dict[str, tuple[str, float]]
) -> None:
    phone = f"+346{time.monotonic_ns() % 10**8:08}"
    edit = {name: row[name] for name in row if name not in {"id", "created_at", "updated_at"}} | {"phone": phone}
    answer = await client.put(f"{url}/passengers/{row['id']}", json=edit)
    answer.raise_for_status()
    answered[phone] = (row["id"], time.monotonic())


async def _watch(
    copy: "asyncpg.Connection[asyncpg.Record]",
    answered: dict[str, tuple[str, float]],
    waits: list[float],
    wanted: int,
) -> None:
    while len(waits) < wanted:
        await asyncio.sleep(_LOOK_SECONDS)
        if not answered:
            continue
        found = await copy.fetch("SELECT phone FROM passengers WHERE phone = ANY($1)", list(answered))
        now = time.monotonic()
        for record in found:
            _, at = answered.pop(record["phone"])
            waits.append((now - at) * 1000)
