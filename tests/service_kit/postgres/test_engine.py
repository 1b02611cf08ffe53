"""Where an address leads, and what is told of one that leads nowhere."""

from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from structlog.testing import capture_logs

from dev_stack.servers.postgres import Postgres
from service_kit.postgres.engine import make_engine
from service_kit.problems import StoreUnavailableError
from service_kit.settings.stores import PostgresSettings

pytestmark = pytest.mark.usefixtures("clean_environment")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
async def test_takes_every_spelling_of_an_address_and_its_own_database(postgres: Postgres, scheme: str) -> None:
    address = f"{scheme}://postgres:geheim@127.0.0.1:{postgres.port}/elsewhere?sslmode=disable"
    engine = make_engine(PostgresSettings(database_url=SecretStr(address), database_name="postgres"))
    async with engine.connect() as connection:
        found = (await connection.execute(text("SELECT current_database(), current_setting('TimeZone')"))).one()
    assert tuple(found) == ("postgres", "UTC")
    await engine.dispose()


async def test_logs_every_statement_without_its_parameters_when_asked_to(
    postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make_engine(PostgresSettings(database_url=SecretStr(postgres.url), database_name="postgres", log_sql=True))
    async with engine.connect() as connection:
        await connection.execute(text("SELECT CAST(:document AS text)"), {"document": "PAB123456"})
    await engine.dispose()
    assert "SELECT CAST($1" in caplog.text
    assert "PAB123456" not in caplog.text


async def test_tells_in_the_log_why_it_is_not_let_in(postgres: Postgres) -> None:
    missing = f"t{uuid4().hex}"
    engine = make_engine(PostgresSettings(database_url=SecretStr(postgres.url), database_name=missing))
    with capture_logs() as told, pytest.raises(StoreUnavailableError):
        async with engine.connect():
            pass
    await engine.dispose()
    assert f'database "{missing}" does not exist' in told[0]["error"]
