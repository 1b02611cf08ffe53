"""`python -m passengers_service.resync` and `.heal`, each as a process of its own."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dev_stack.ports import free_port
from passengers_service.config.settings import PassengersSettings
from service_kit.clock import utc_now
from service_kit.replication.hybrid_clock import HybridClock
from tests.passengers_service.conftest import events_in, fill

ROOT: Final = Path(__file__).parents[2]


def resync(url: str, database: str, folder: Path, command: str = "resync") -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - one of our own commands
        [sys.executable, "-m", f"passengers_service.{command}"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": url, "DATABASE_NAME": database},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


async def test_tells_all_passengers_and_asks_for_those_of_the_other_side(
    database: AsyncEngine, settings: PassengersSettings, tmp_path: Path
) -> None:
    stored = await fill(database, 1100)

    done = resync(settings.database_url.get_secret_value(), settings.database_name, tmp_path)

    events = await events_in(database)
    told = [change["id"] for event in events[:-1] for change in event["data"]["changes"]]
    assert (done.returncode, done.stderr) == (0, "")
    assert "1100 rows are in the outbox" in done.stdout
    assert sorted(told) == sorted(str(passenger_id) for passenger_id in stored)
    assert [event["type"] for event in events] == ["passenger.changed"] * 3 + ["passenger.copy_requested"]


async def test_heals_what_a_clock_far_ahead_has_stamped(
    database: AsyncEngine, settings: PassengersSettings, tmp_path: Path
) -> None:
    far, _ = await fill(database, 2)
    async with database.begin() as connection:
        two_years = {"far": HybridClock(1, lambda: utc_now() + timedelta(days=731)).tick(), "id": far}
        await connection.execute(text("UPDATE passengers SET stamps[3] = :far WHERE id = :id"), two_years)

    url = settings.database_url.get_secret_value()
    done = [resync(url, settings.database_name, tmp_path, "heal").stdout.splitlines()[-1] for _ in range(2)]

    [event] = await events_in(database)
    assert [line[:2] for line in done] == ["1 ", "0 "]
    assert [(change["id"], list(change["fields"])) for change in event["data"]["changes"]] == [
        (str(far), ["first_name"])
    ]


def test_says_in_one_line_that_postgres_is_away(tmp_path: Path) -> None:
    done = resync(f"postgresql://me:geheim@127.0.0.1:{free_port()}", "passengers", tmp_path)

    [line] = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert line.startswith("PostgreSQL cannot be used; DATABASE_URL says where it is: ")
    assert "geheim" not in line
