"""A fuzzer that believes every word of `/openapi.json`, and sends what should and what should not be taken."""

from pathlib import Path
from typing import Final

import pytest

from dev_stack.ports import free_port
from dev_stack.servers.postgres import Postgres
from tests.support.fuzzer import ANY_VERSION, fuzz, may_refuse
from tests.support.system import ServiceProcess

# JSON schema knows no yesterday, before which a day of birth must be.
CONFIGURATION: Final = f"""
{ANY_VERSION}
{may_refuse("POST /passengers", "422")}
{may_refuse("PUT /passengers/{passenger_id}", "422")}
{may_refuse("PATCH /passengers/{passenger_id}", "422")}
"""


@pytest.mark.parametrize("key", ["", "a-key"], ids=["open", "with_a_key"])
def test_a_fuzzer_finds_nothing(postgres: Postgres, key: str, tmp_path: Path) -> None:
    settings = {
        "DATABASE_URL": postgres.url,
        "DATABASE_NAME": f"passengers_fuzzed_{len(key)}",
        "RABBITMQ_URL": f"amqp://guest:guest@127.0.0.1:{free_port()}/",
        "API_KEY": key,
    }
    with ServiceProcess(tmp_path / "api", "passengers_service", **settings) as api:
        # It can write no NDJSON, and knows not which ids are taken.
        fuzz(api.url, tmp_path, CONFIGURATION, key=key, options=("--exclude-path", "/passengers/bulk"))
