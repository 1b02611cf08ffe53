"""The real app with its guard: every route by every role, and whose data a client account sees."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from loans_service.config.settings import LoansSettings
from loans_service.main import build
from loans_service.permissions import PERMISSIONS, ROLES
from service_kit.accounts.caller import operation_of
from tests.loans_service.conftest import KEYS, LUCIA, YEAR, JsonObject

PASSWORDS: Final = {
    "administrator": ("admin@loans.example", "Loans-admin-1"),
    "officer": ("officer@loans.example", "Loans-officer-1"),
    "client": ("lucia@example.com", "Blue-lake-walrus-77"),
}
_PATIENCE_SECONDS = 20.0


class Counter:
    """The app, and a token of each role.

    Attributes:
        api: Without a token.
        tokens: Headers by role.
        own: A client with an account, and its loan.
        other: Another one's.
    """

    def __init__(self, api: httpx.AsyncClient) -> None:
        self.api = api
        self.tokens: dict[str, dict[str, str]] = {}
        self.own: JsonObject = {}
        self.other: JsonObject = {}

    async def log_in(self, role: str) -> None:
        email, password = PASSWORDS[role]
        form = {"grant_type": "password", "username": email, "password": password}
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while (answer := await self.api.post("/auth/token", data=form)).status_code != 200:  # noqa: ASYNC110 - see below
                await asyncio.sleep(0.05)  # the first accounts are being made
        self.tokens[role] = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def call(self, role: str | None, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - of httpx
        headers = {**more.pop("headers", {}), **(self.tokens[role] if role else {})}
        return await self.api.request(method, path, headers=headers, **more)

    async def made(self, path: str, body: JsonObject) -> JsonObject:
        answer = await self.call("administrator", "POST", path, json=body)
        assert answer.status_code == 201, answer.text
        made: JsonObject = answer.json()
        return made

    async def client_with_loan(self) -> JsonObject:
        client = await self.made("/clients", {**LUCIA, "document_type": "other", "document_number": uuid4().hex})
        loan = await self.made("/loans", {**YEAR, "client_id": client["id"]})
        return {"client_id": client["id"], "loan_id": loan["id"]}


@pytest.fixture
async def counter(settings: LoansSettings) -> AsyncIterator[Counter]:
    app = build(settings)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://api") as api:
        counter = Counter(api)
        await counter.log_in("administrator")
        await counter.log_in("officer")
        counter.own, counter.other = await counter.client_with_loan(), await counter.client_with_loan()
        email, password = PASSWORDS["client"]
        account = {"email": email, "name": "Lucía", "role": "client", "password": password}
        await counter.made("/accounts", {**account, "subject_id": counter.own["client_id"]})
        await counter.log_in("client")
        yield counter


def operations() -> list[tuple[str, str]]:
    """Method and path of each operation that `/docs` shows."""
    document = build(LoansSettings(jwt_keys=SecretStr(KEYS))).openapi()
    return [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]


def test_each_operation_has_its_row() -> None:
    assert PERMISSIONS.unmatched([operation_of(method, path) for method, path in operations()]) == []


async def test_each_role_may_what_the_table_says(counter: Counter) -> None:
    """Bodies are empty: whoever may, hears that instead."""
    wrong = []
    for method, path in operations():
        if path.startswith("/auth"):
            continue
        rule = PERMISSIONS.rule_of(method, path)
        filled = path.format(payment_id=uuid4(), account_id=uuid4(), session_id=uuid4(), **counter.own)
        for role in (None, *ROLES):
            body: dict[str, Any] = {"json": {}} if method in ("POST", "PUT") else {}
            status = (await counter.call(role, method, filled.replace(":uuid", ""), **body)).status_code
            expected = 401 if role is None else 403 if role not in rule.scopes else None
            if (status != expected) if expected else status in (401, 403, 500):
                wrong.append((role, method, path, status))
        if method == "DELETE":  # it was done: make another one
            counter.own |= await counter.client_with_loan() if "client" in path else {}

    assert wrong == []


async def test_shows_a_client_account_its_own_alone(counter: Counter) -> None:
    paths = [
        *("/clients/{client_id}", "/loans/{loan_id}", "/loans/{loan_id}/schedule", "/loans/{loan_id}/balance"),
        "/loans/{loan_id}/payments",
    ]
    own = [(await counter.call("client", "GET", path.format(**counter.own))).status_code for path in paths]
    other = [(await counter.call("client", "GET", path.format(**counter.other))).status_code for path in paths]
    unknown = {"client_id": uuid4(), "loan_id": uuid4()}
    nobodys = [(await counter.call("client", "GET", path.format(**unknown))).json() for path in paths]
    others = [(await counter.call("client", "GET", path.format(**counter.other))).json() for path in paths]
    quote = {"json": {"amount": "1.00"}}
    quoted = await counter.call("client", "POST", f"/loans/{counter.other['loan_id']}/payments/quote", **quote)

    assert (own, other, quoted.status_code) == ([200] * 5, [404] * 5, 404)
    assert [one["type"] for one in nobodys] == [one["type"] for one in others]


@pytest.mark.parametrize("path", ["/clients", "/loans"])
async def test_lists_to_a_client_account_its_own_alone(counter: Counter, path: str) -> None:
    mine = (await counter.call("client", "GET", f"{path}?with_total=true")).json()
    all_of_them = (await counter.call("officer", "GET", f"{path}?with_total=true")).json()

    assert (mine["total"], all_of_them["total"]) == (1, 2)


async def test_closes_the_account_of_a_client_that_is_deleted(counter: Counter) -> None:
    own = counter.own
    await counter.call("administrator", "DELETE", f"/loans/{own['loan_id']}")
    deleted = await counter.call("administrator", "DELETE", f"/clients/{own['client_id']}")
    after = await counter.call("client", "GET", "/loans")

    assert (deleted.status_code, after.status_code) == (204, 401)


async def test_approves_by_the_account_of_the_token(counter: Counter) -> None:
    path = f"/loans/{counter.own['loan_id']}"
    tag = {"If-Match": '"1"'}
    approved = (await counter.call("administrator", "POST", f"{path}/approve", headers=tag)).json()

    assert [approval["by"] for approval in approved["approvals"]] == ["admin@loans.example"]
