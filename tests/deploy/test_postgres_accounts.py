"""`deploy/postgres/accounts.sql` on a real server: each service owns its database, and enters no other."""

import base64
import hashlib
import hmac
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dev_stack.ports import free_port
from dev_stack.servers.postgres import Postgres
from dev_stack.servers.postgres_binaries import binaries
from dev_stack.services import SERVICES
from passengers_service.config.database import SCHEMA
from passengers_service.config.settings import PassengersSettings
from service_kit.postgres.migrations import upgrade

SCRIPT = Path(__file__).parents[2] / "deploy" / "postgres" / "accounts.sql"
PASSWORDS = {service.password: "of its own" for service in SERVICES if "postgres" in service.servers} | {
    "PASSENGERS_SERVICE_PASSWORD": "p'a@ss/w#1\\\"",
    "RESERVATIONS_SERVICE_PASSWORD": "another",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    """A server of its own: accounts belong to the whole of it."""
    with Postgres(tmp_path / "postgres", free_port(), temporary=True) as server:
        yield server


def _run(server: Postgres, passwords: dict[str, str] = PASSWORDS) -> None:
    command = [str(binaries() / "psql"), "-v", "ON_ERROR_STOP=1", "-d", f"{server.url}/postgres", "-f", str(SCRIPT)]
    done = subprocess.run(command, env=passwords, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert (done.returncode, done.stderr) == (0, "")


async def _connect(server: Postgres, user: str, database: str) -> "asyncpg.Connection[Any]":
    return await asyncpg.connect(host="127.0.0.1", port=server.port, user=user, database=database)


@pytest.fixture
async def admin(server: Postgres) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """The administrator's connection."""
    connection = await _connect(server, "postgres", "postgres")
    yield connection
    await connection.close()


async def _is_password(admin: "asyncpg.Connection[Any]", role: str, password: str) -> bool:
    """Whether it is what the server keeps of a password (RFC 5802): this server of tests asks nobody for one."""
    kept: str = await admin.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = $1", role)
    _, rounds, keys = kept.split("$")
    count, salt = rounds.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(count))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return keys.startswith(base64.b64encode(hashlib.sha256(client_key).digest()).decode())


def _settings(server: Postgres, user: str) -> PassengersSettings:
    return PassengersSettings.model_validate({"database_url": f"postgresql://{user}@127.0.0.1:{server.port}"})


async def test_lets_a_service_make_its_tables_and_enter_no_other_database(server: Postgres) -> None:
    _run(server)

    await upgrade(_settings(server, "passengers_service"), SCHEMA, print)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _connect(server, "reservations_service", "passengers_service")


async def test_gives_a_service_what_an_older_version_made(server: Postgres, admin: "asyncpg.Connection[Any]") -> None:
    await upgrade(_settings(server, "postgres"), SCHEMA, print)

    _run(server)

    service = await _connect(server, "passengers_service", "passengers_service")
    owners = await service.fetch("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    await service.close()
    assert [owner for [owner] in owners] == ["passengers_service"]
    assert not await admin.fetchval("SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = 'passengers_service'")


async def test_takes_any_password_and_changes_it_when_it_runs_again(
    server: Postgres, admin: "asyncpg.Connection[Any]"
) -> None:
    _run(server)
    assert await _is_password(admin, "passengers_service", PASSWORDS["PASSENGERS_SERVICE_PASSWORD"])

    _run(server, PASSWORDS | {"PASSENGERS_SERVICE_PASSWORD": "new"})

    assert await _is_password(admin, "passengers_service", "new")
    assert await _is_password(admin, "reservations_service", "another")
