"""`python -m passengers_service.resync`, as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from dev_stack.ports import free_port
from passengers_service.config.settings import PassengersSettings
from tests.passengers_service.conftest import events_in, fill

ROOT: Final = Path(__file__).parents[2]


def resync(url: str, database: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "passengers_service.resync"],
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


def test_says_in_one_line_that_postgres_is_away(tmp_path: Path) -> None:
    done = resync(f"postgresql://me:geheim@127.0.0.1:{free_port()}", "passengers", tmp_path)

    [line] = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert line.startswith("PostgreSQL cannot be used; DATABASE_URL says where it is: ")
    assert "geheim" not in line
