"""A client of the things API, as somebody with an account uses it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import func, insert, select, text

from service_kit.accounts.assembly import Accounts
from service_kit.accounts.history import Origin
from service_kit.accounts.models import NewAccount
from service_kit.postgres.store import PostgresStore
from tests.support.rabbit_support import until
from tests.support.things.tables import ACCOUNTS, THINGS


@dataclass(frozen=True)
class Person:
    email: str
    password: str


HEAD = Person("head@example.com", "kindly open the gate 1")
HAND = Person("hand@example.com", "kindly open the gate 2")
GUEST = Person("guest@example.com", "kindly open the gate 3")


@dataclass
class Login:
    """Somebody who is logged in."""

    client: httpx.AsyncClient
    access_token: str
    refresh_token: str
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = {"Authorization": f"Bearer {self.access_token}"}

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        return await self.client.request(method, path, headers=self.headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - the same
        return await self.call("GET", path, **options)


class Things:
    """The API that is served."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient) -> None:
        self.app = app
        self.client = client
        self.store: PostgresStore = app.state.services[PostgresStore]
        self.accounts: Accounts = app.state.services[Accounts]

    async def wait_for_the_head(self) -> None:
        async def is_there() -> bool:
            if (await self.client.get("/health/ready")).status_code != 200:
                return False
            return bool(await self.value("SELECT count(*) FROM accounts"))

        await until(is_there)

    async def value(self, query: str, **parameters: object) -> Any:  # noqa: ANN401 - of whatever type
        async with self.store.transaction() as session:
            return await session.scalar(text(query), parameters)

    async def run(self, statement: str, **parameters: object) -> None:
        async with self.store.transaction() as session:
            await session.execute(text(statement), parameters)

    async def ask_for_tokens(self, form: Mapping[str, str], address: str = "192.0.2.1") -> httpx.Response:
        """As from an address of one's own."""
        transport = httpx.ASGITransport(self.app, client=(address, 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://things") as client:
            return await client.post("/auth/token", data=dict(form))

    async def try_password(self, person: Person, password: str = "", address: str = "192.0.2.1") -> httpx.Response:
        form = {"grant_type": "password", "username": person.email, "password": password or person.password}
        return await self.ask_for_tokens(form, address)

    async def log_in(self, person: Person, address: str = "192.0.2.1") -> Login:
        answer = await self.try_password(person, address=address)
        assert answer.status_code == 200, answer.text
        return self.logged_in(answer)

    def logged_in(self, answer: httpx.Response) -> Login:
        return Login(self.client, answer.json()["access_token"], answer.json()["refresh_token"])

    async def refresh(self, token: str) -> httpx.Response:
        return await self.ask_for_tokens({"grant_type": "refresh_token", "refresh_token": token})

    async def add_account(self, person: Person, role: str, subject_id: UUID | None = None) -> UUID:
        """Past the API, for tests that are about something else."""
        new = NewAccount(
            email=person.email, name="Somebody", role=role, subject_id=subject_id, password=SecretStr(person.password)
        )
        row, _ = await self.accounts.management.create(new, Origin())
        account_id: UUID = row.id
        return account_id

    async def add_thing(self, owner_id: UUID) -> UUID:
        thing_id = uuid4()
        async with self.store.transaction() as session:
            await session.execute(insert(THINGS).values(id=thing_id, owner_id=owner_id))
        return thing_id

    async def happenings(self, account_id: UUID | None = None) -> list[str]:
        history = ACCOUNTS.history
        query = select(history.c.event).order_by(history.c.id)
        if account_id is not None:
            query = query.where(history.c.account_id == account_id)
        async with self.store.transaction() as session:
            return list(await session.scalars(query))

    async def living_sessions(self) -> int:
        async with self.store.transaction() as session:
            living = select(func.count()).select_from(ACCOUNTS.sessions).where(ACCOUNTS.sessions.c.ended_at.is_(None))
            return await session.scalar(living) or 0
