"""The routes of loans_service on a real PostgreSQL; each test has a database of its own."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from dev_stack.servers.postgres import Postgres
from loans_service.config.accounts import POLICY
from loans_service.config.database import SCHEMA, open_store
from loans_service.config.settings import LoansSettings
from loans_service.routes import clients, commands, loans, payments, portfolio
from loans_service.services.context import Policy
from service_kit.accounts.assembly import Accounts
from service_kit.accounts.caller import Caller, Scope
from service_kit.accounts.guard import _caller as caller_of
from service_kit.api.app import create_app
from service_kit.api.dependencies import _now as now_of
from service_kit.api.guards import Guarded
from service_kit.clock import utc_now
from service_kit.fields.uuid7 import new_uuid7
from service_kit.postgres.engine import make_engine, open_connection
from service_kit.postgres.migrations import upgrade
from service_kit.resources import Services

JsonObject = dict[str, Any]

LUCIA: JsonObject = {
    "document_type": "CURP",
    "document_number": "BOXW310820HNERXN09",
    "first_name": "Lucía",
    "last_name": "Hernández Ruiz",
    "email": "lucia@example.com",
    "birth_date": "1990-05-17",
}
YEAR: JsonObject = {
    "principal": "10000.00",
    "currency": "MXN",
    "annual_rate_percent": "24",
    "term_months": 12,
    "method": "french",
    "day_count": "30/360",
    "disburse_on": "2026-01-31",
    "first_due_on": "2026-02-28",
    "due_day": 31,
    "instalment_fee": "15.00",
}
"""Twelve rows of 960.60, the last one 960.55."""
ADDRESS: JsonObject = {"street": "Reforma 222", "city": "México", "region": None, "postal_code": None, "country": "MX"}
KEYS = "test:" + base64.b64encode(b"a secret of the tests".ljust(64, b".")).decode()
NOBODY = "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50"
TODAY = date(2026, 6, 15)
NOON = datetime(2026, 6, 15, 18, tzinfo=UTC)
"""In Mexico City."""


def account(role: str, subject_id: UUID | None = None) -> Caller:
    scope = Scope.OWN if subject_id else Scope.ALL
    return Caller(uuid4(), f"{role}-{uuid4().hex[:6]}@loans.example", role, role, uuid4(), subject_id, scope)


class Desk:
    """Callers of one app, at a time that stands.

    Attributes:
        api: Calls as `caller`.
        caller: Who asks.
        now: The instant of each request; None is the clock's.
    """

    def __init__(self, app: FastAPI, api: httpx.AsyncClient) -> None:
        self.api = api
        self.caller = account("administrator")
        self.now: datetime | None = NOON

        async def current_caller() -> Caller:
            return self.caller

        async def current_time() -> datetime:
            return self.now or utc_now()

        app.dependency_overrides |= {caller_of: current_caller, now_of: current_time}

    async def create(self, path: str, body: JsonObject) -> JsonObject:
        answer = await self.api.post(path, json=body)
        assert answer.status_code == 201, answer.text
        made: JsonObject = answer.json()
        return made

    async def loan(self, **changes: object) -> JsonObject:
        """A draft; of a client of its own unless it names one."""
        client_id = changes.pop("client_id", None) or (await self.client(document_type="other"))["id"]
        return await self.create("/loans", {**YEAR, "client_id": client_id, **changes})

    async def do(self, loan: JsonObject, command: str, **body: object) -> JsonObject:
        """One command, with the tag that was just read where one is needed."""
        answer = await self.try_to(loan, command, **body)
        assert answer.status_code == 200, answer.text
        done: JsonObject = answer.json()
        return done

    async def try_to(self, loan: JsonObject, command: str, **body: object) -> httpx.Response:
        path = f"/loans/{loan['id']}"
        headers = {"If-Match": (await self.api.get(path)).headers["etag"]}
        return await self.api.post(f"{path}/{command}", json=body or None, headers=headers)

    async def active_loan(self, **changes: object) -> JsonObject:
        """A loan that was paid out on the day that was agreed."""
        loan = await self.loan(**changes)
        await self.do(loan, "approve")
        return await self.do(loan, "disburse", disbursed_on=loan["disburse_on"])

    async def try_to_pay(
        self, loan: JsonObject, amount: str, paid_on: str | None = None, **more: str
    ) -> httpx.Response:
        key = {"Idempotency-Key": more.pop("key", uuid4().hex)}
        body = {"amount": amount, **({"paid_on": paid_on} if paid_on else {}), **more}
        return await self.api.post(f"/loans/{loan['id']}/payments", json=body, headers=key)

    async def pay(self, loan: JsonObject, amount: str, paid_on: str | None = None, **more: str) -> JsonObject:
        answer = await self.try_to_pay(loan, amount, paid_on, **more)
        assert answer.status_code == 201, answer.text
        payment: JsonObject = answer.json()
        return payment

    async def read(self, loan: JsonObject, path: str = "", **query: str) -> JsonObject:
        answer = await self.api.get(f"/loans/{loan['id']}{path}", params=query)
        assert answer.status_code == 200, answer.text
        found: JsonObject = answer.json()
        return found

    async def client(self, **changes: object) -> JsonObject:
        if changes.get("document_type") == "other":
            changes = {"document_number": f"X{uuid4().hex[:12]}", **changes}
        return await self.create("/clients", {**LUCIA, **changes})


def settings_for(url: str) -> LoansSettings:
    """A database of its own; hashes that are quick, and a key that is no file."""
    given = {"database_url": url, "database_name": f"loans_{uuid4().hex}", "jwt_keys": KEYS, "bcrypt_rounds": 4}
    return LoansSettings.model_validate(given)


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> LoansSettings:
    """A database that is migrated, for others to be copied from."""
    template = settings_for(postgres.url)
    asyncio.run(upgrade(template, SCHEMA, lambda _step: None))
    return template


@pytest.fixture
async def settings(template: LoansSettings) -> AsyncIterator[LoansSettings]:
    """A database of the test's own."""
    settings = settings_for(template.database_url.get_secret_value())
    async with maintenance(settings) as connection:
        await connection.execute(f"CREATE DATABASE {settings.database_name} TEMPLATE {template.database_name}")
    yield settings
    async with maintenance(settings) as connection:
        await connection.execute(f"DROP DATABASE {settings.database_name} WITH (FORCE)")


@asynccontextmanager
async def maintenance(settings: LoansSettings) -> AsyncIterator[Any]:
    connection = await open_connection(settings, database="postgres")
    try:
        yield connection
    finally:
        await connection.close()


ROUTERS = (clients.router, loans.router, commands.router, payments.router, portfolio.router)


@pytest.fixture(scope="session")
def app(template: LoansSettings) -> FastAPI:
    """The routes, made once; `open_desk` gives them a store."""
    routers = [Guarded(router, None) for router in ROUTERS]
    return create_app(template, description="Loans.", routers=routers, resources=[open_store(template)])


@asynccontextmanager
async def open_desk(app: FastAPI, settings: LoansSettings) -> AsyncIterator[Desk]:
    store = open_store(settings)
    store._prepared = True  # as a copy of the template is
    policy = Policy(settings.time_zone, settings.second_approval_above)
    accounts = Accounts(POLICY, settings, store, settings.service)
    app.state.services = Services(settings, store, policy, accounts)
    transport = httpx.ASGITransport(app)
    async with store.running(), httpx.AsyncClient(transport=transport, base_url="http://api") as api:
        yield Desk(app, api)


@pytest.fixture
async def desk(app: FastAPI, settings: LoansSettings) -> AsyncIterator[Desk]:
    """An administrator at noon of 15 June 2026."""
    async with open_desk(app, settings) as desk:
        yield desk


@pytest.fixture
async def api(desk: Desk) -> httpx.AsyncClient:
    return desk.api


@pytest.fixture
async def database(desk: Desk, settings: LoansSettings) -> AsyncIterator[AsyncEngine]:
    """The database of `desk`, seen by a stranger."""
    assert desk
    engine = make_engine(settings)
    yield engine
    await engine.dispose()


def client_id() -> str:
    return str(new_uuid7(utc_now()))


def code_of(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).removeprefix("urn:problem-type:")


ON_TIME = ("2026-02-28", "2026-03-31", "2026-04-30")


async def three_on_time(desk: Desk, **changes: object) -> JsonObject:
    loan = await desk.active_loan(**changes)
    for day in ON_TIME:
        await desk.pay(loan, "960.60", day)
    return loan
