"""A fuzzer that believes every word of `/openapi.json`, and sends what should and what should not be taken."""

from pathlib import Path
from typing import Final
from uuid import UUID

import pytest

from dev_stack.servers.postgres import Postgres
from reservations_service.config.database import open_store
from service_kit.postgres.store import PostgresStore
from tests.reservations_service.conftest import ANA, NOBODY, settings_for, tell
from tests.support.fuzzer import ANY_VERSION, fuzz, may_refuse
from tests.support.system import ServiceProcess

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
{may_refuse("PATCH /reservations/{reservation_id}", "422")}
{may_refuse("PATCH /passengers/{passenger_id}", "422")}
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
    with ServiceProcess(tmp_path / "api", "reservations_service", **settings) as api:
        fuzz(api.url, tmp_path, CONFIGURATION, key=key)
