"""One of the two databases of passengers is dropped and made again, while its service runs."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import httpx
import pytest

from faults.replication import Copies, opened
from faults.servers import until
from passengers_service.factory import passengers
from tests.support.system import ROOT, ServiceProcess

_PASSENGERS = 1_200
"""More than one event holds."""


async def _load(service: ServiceProcess) -> None:
    rows = b"".join(b"%b\n" % one.model_dump_json(exclude={"id"}).encode() for one in passengers(_PASSENGERS, seed=1))
    async with httpx.AsyncClient(timeout=30) as client:
        headers = {"Content-Type": "application/x-ndjson"}
        answer = await client.post(f"{service.url}/passengers/bulk", content=rows, headers=headers)
    assert answer.json()["created"] == _PASSENGERS


async def _execute(copies: Copies, statement: str) -> None:
    connection = await asyncpg.connect(copies.store.url, database="postgres")
    await connection.execute(statement)
    await connection.close()


def _run(module: str, copies: Copies) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": copies.store.url}
    subprocess.run([sys.executable, "-m", module], env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command


async def _has_all(copies: Copies) -> bool:
    digests = await copies.digests()
    return all(digest["count"] == _PASSENGERS for digest in digests) and await copies.are_equal()


@pytest.mark.parametrize("service", ["passengers_service", "reservations_service"])
async def test_resync_restores_a_database_that_was_made_again(service: str, tmp_path: Path) -> None:
    async with opened(tmp_path) as copies, httpx.AsyncClient() as client:
        await _load(copies.passengers)
        assert await until(lambda: _has_all(copies))
        loser = copies.passengers if service == "passengers_service" else copies.reservations

        await _execute(copies, f"DROP DATABASE {service} WITH (FORCE)")
        assert (await client.get(f"{loser.url}/sync/digest")).status_code == 503
        await _execute(copies, f"CREATE DATABASE {service}")
        assert (await client.get(f"{loser.url}/sync/digest")).status_code == 503
        assert await until(lambda: asyncio.to_thread(loser.is_ready))  # it has made its tables

        _run(f"{service}.resync", copies)

        assert await until(lambda: _has_all(copies))
