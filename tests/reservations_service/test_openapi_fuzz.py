"""A fuzzer that believes every word of `/openapi.json`, and sends what should and what should not be taken."""

import subprocess
import sys
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from dev_stack.servers.postgres import Postgres
from reservations_service.config.database import open_store
from service_kit.postgres.store import PostgresStore
from tests.reservations_service.conftest import ANA, NOBODY, settings_for, tell
from tests.support.fuzzer import ANY_VERSION, may_refuse
from tests.support.system import ServiceProcess

EXAMPLES: Final = 15
DATABASE: Final = "reservations_service_fuzzed"
PASSENGER_ID: Final = UUID("019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50")

# What no schema can say is 422 here as it was asked for: a passenger that is unknown, a flight back to where it began,
# a departure in the past, a day of birth that is to come.
CONFIGURATION: Final = f"""
{ANY_VERSION}
"path.passenger_id" = "{PASSENGER_ID}"
{may_refuse("POST /reservations", "422")}
{may_refuse("PUT /reservations/{reservation_id}", "422")}
{may_refuse("PUT /passengers/{passenger_id}", "422")}
"""


@pytest.fixture
async def database(postgres: Postgres) -> str:
    """A database in which the passenger of the examples is known."""
    store: PostgresStore = open_store(settings_for(postgres.url, database_name=DATABASE))
    await store.prepare()
    await tell(store, ANA, PASSENGER_ID)
    await store.engine.dispose()
    return DATABASE


@pytest.mark.parametrize("key", ["", "a-key"], ids=["open", "with_a_key"])
def test_a_fuzzer_finds_nothing(postgres: Postgres, database: str, key: str, tmp_path: Path) -> None:
    settings = {"DATABASE_URL": postgres.url, "DATABASE_NAME": database, "RABBITMQ_URL": NOBODY, "API_KEY": key}
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    with ServiceProcess(tmp_path / "api", "reservations_service", **settings) as api:
        fuzzer = subprocess.run(  # noqa: S603 - our own command
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{api.url}/openapi.json"),
                *("--phases", "examples,coverage,fuzzing,stateful", "--checks", "all"),
                *("--max-examples", str(EXAMPLES), "--generation-deterministic", "--no-shrink", "--no-color"),
                *(("--header", f"X-API-Key: {key}") if key else ()),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    assert fuzzer.returncode == 0, fuzzer.stdout + fuzzer.stderr
    assert "No issues found" in fuzzer.stdout
