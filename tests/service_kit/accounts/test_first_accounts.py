"""The accounts that a start makes, and what production does not start with."""

import asyncio
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from service_kit.accounts.settings import AccountsSettings, JwtSettings
from service_kit.postgres.engine import open_connection
from service_kit.testing.schema_drift import drift
from tests.service_kit.accounts.conftest import KEYS, serving
from tests.support.rabbit_support import until
from tests.support.things.api import ThingsSettings, build
from tests.support.things.client import HEAD, Person, Things
from tests.support.things.policy import POLICY
from tests.support.things.tables import METADATA

PUBLISHED = POLICY.development[0]


async def test_replicas_that_start_at_once_make_one_administrator(settings: ThingsSettings) -> None:
    async with serving(settings) as one, serving(settings) as other:
        assert await one.value("SELECT count(*) FROM accounts") == 1
        assert (await other.try_password(HEAD)).status_code == 200


async def test_is_not_ready_before_its_first_account_can_log_in(settings: ThingsSettings) -> None:
    app = build(settings)
    transport = httpx.ASGITransport(app)
    other = await open_connection(settings, database=settings.database_name)
    await other.execute("BEGIN; SELECT pg_advisory_xact_lock(7365727670)")  # another replica is making them
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://things") as client,
    ):

        async def checks() -> dict[str, str]:
            named: dict[str, str] = (await client.get("/health/ready")).json()["checks"]
            return named

        async def is_prepared() -> bool:
            return (await checks())["postgres"] == "ok"

        await until(is_prepared)
        assert (await checks())["accounts"] == "The first accounts are being made. If it lasts, the log says why."
        assert (await client.get("/health/ready")).status_code == 503

        await other.close()

        async def is_ready() -> bool:
            return (await client.get("/health/ready")).status_code == 200

        await until(is_ready)
        assert (await Things(app, client).try_password(HEAD)).status_code == 200


async def test_variables_change_nothing_once_there_is_an_account(settings: ThingsSettings) -> None:
    async with serving(settings):
        pass
    later = settings.model_copy(update={"first_admin_email": "later@example.com"})
    async with serving(later) as things:
        await asyncio.wait_for(things.accounts._first.make(), 5)
        assert await things.value("SELECT string_agg(email, ' ') FROM accounts") == HEAD.email


async def test_a_start_in_development_makes_the_documented_accounts(settings: ThingsSettings, tmp_path: Path) -> None:
    update = {"environment": "development", "first_admin_email": "", "jwt_keys": SecretStr("")}
    development = settings.model_copy(update=update)
    async with serving(development) as things:
        for account in POLICY.development:
            assert (await things.try_password(Person(account.email, account.password))).status_code == 200
    assert [path.name for path in (tmp_path / ".data").iterdir()] == ["things_service.jwt_keys"]

    async with serving(settings) as things:
        answer = await things.try_password(Person(PUBLISHED.email, PUBLISHED.password))
        assert answer.status_code == 401, "in production they open nothing"


def test_production_refuses_a_documented_password(settings_of_production: ThingsSettings) -> None:
    settings = settings_of_production.model_copy(update={"first_admin_password": SecretStr(PUBLISHED.password)})
    with pytest.raises(SystemExit):
        build(settings)


@pytest.fixture
def settings_of_production(clean_environment: None) -> ThingsSettings:  # noqa: ARG001 - asked for what it does
    return ThingsSettings(
        environment="production",
        jwt_keys=SecretStr(KEYS),
        first_admin_email=HEAD.email,
        allow_open_stores=True,
        first_admin_password=SecretStr(HEAD.password),
    )


@pytest.mark.usefixtures("clean_environment")
def test_production_wants_keys() -> None:
    with pytest.raises(ValidationError, match="set JWT_KEYS"):
        JwtSettings(environment="production")
    assert JwtSettings(environment="development")
    for wrong in ("x", "a:c2hvcnQ=", "a:!!", f"{KEYS},{KEYS}"):
        with pytest.raises(ValidationError, match="JWT_KEYS: ") as caught:
            JwtSettings(jwt_keys=SecretStr(wrong))
        assert wrong not in str(caught.value)


@pytest.mark.usefixtures("clean_environment")
@pytest.mark.parametrize(
    ("email", "password"),
    [("a@example.com", ""), ("", "kindly open it"), ("no address", "kindly open it"), ("a@example.com", "password1")],
)
def test_refuses_a_first_administrator_that_could_not_be(email: str, password: str) -> None:
    with pytest.raises(ValidationError, match="FIRST_ADMIN"):
        AccountsSettings(first_admin_email=email, first_admin_password=SecretStr(password))


async def test_old_sessions_and_counts_are_forgotten_and_no_history(things: Things) -> None:
    await things.log_in(HEAD)
    await things.log_in(HEAD)
    old = "(SELECT id FROM sessions LIMIT 1)"
    await things.run(f"UPDATE sessions SET ended_at = now() - interval '31 days', end_reason = 'x' WHERE id = {old}")  # noqa: S608 - ours
    assert await things.accounts._housekeeping.prune_sessions() == 1
    assert await things.value("SELECT count(*) FROM sessions") == 1
    assert await things.value("SELECT count(*) FROM account_history") == 3


async def test_a_database_is_as_the_tables_say(things: Things) -> None:
    assert await drift(things.store.engine, METADATA) == []
