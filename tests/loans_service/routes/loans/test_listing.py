"""`GET /loans`: filters, orders and pages; and how PostgreSQL finds the rows."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine

from loans_service.config.settings import LoansSettings
from loans_service.services.context import Policy, RequestContext
from loans_service.services.keyset import page_statement
from loans_service.services.loan_list import LoanQuery, listing_of
from service_kit.pagination import encode_cursor
from tests.loans_service.conftest import NOBODY, NOON, Desk, JsonObject, account, code_of


async def names(desk: Desk, query: str) -> list[str]:
    answer = await desk.api.get(f"/loans?{query}")
    assert answer.status_code == 200, answer.text
    return [item["external_id"] for item in answer.json()["items"]]


@pytest.fixture
async def four(desk: Desk) -> dict[str, JsonObject]:
    """A draft in Chile, a late loan, one that is paid early, one that was paid out later."""
    loans = {}
    desk.now = NOON
    client = await desk.client(document_type="other", last_name="Zúñiga", email="zu@example.com")
    loans["draft"] = await desk.loan(
        external_id="draft", currency="CLP", principal=500_000, instalment_fee=0, client_id=client["id"]
    )
    desk.now = NOON + timedelta(hours=1)
    loans["late"] = await desk.active_loan(external_id="late")
    desk.now = NOON + timedelta(hours=2)
    loans["early"] = await desk.active_loan(external_id="early", principal="20000.00", annual_rate_percent="30")
    balance = await desk.read(loans["early"], "/balance")
    await desk.pay(loans["early"], balance["due_total"])
    await desk.pay(loans["early"], balance["next_instalment"]["total"])
    desk.now = NOON + timedelta(hours=3)
    later = {"disburse_on": "2026-05-31", "first_due_on": "2026-06-30", "method": "bullet", "instalment_fee": 0}
    loans["later"] = await desk.active_loan(external_id="later", **later)
    return loans


async def test_filters_and_sorts(desk: Desk, four: dict[str, JsonObject]) -> None:
    expected = {
        "": "later early late draft",
        "sort=created_at": "draft late early later",
        "sort=principal": "late later early draft",
        "sort=-principal": "draft early later late",
        "sort=disbursed_on": "late early later draft",
        "sort=-disbursed_on": "later early late draft",
        "sort=next_unpaid_due_on": "late later early draft",
        "sort=-next_unpaid_due_on": "early later late draft",
        "status=draft": "draft",
        "status=draft&status=active&sort=created_at": "draft late early later",
        f"client_id={four['draft']['client_id']}": "draft",
        "currency=CLP": "draft",
        "method=bullet": "later",
        "currency=MXN&principal[gte]=10000.00&principal[lte]=15000": "later late",
        "annual_rate_percent[gte]=24.5": "early",
        "annual_rate_percent[lte]=24&status=active": "later late",
        "created_at[gte]=2026-06-15T20:00:00Z&created_at[lt]=2026-06-15T21:00:00Z": "early",
        "disbursed_on[gte]=2026-02-01": "later",
        "disbursed_on[lte]=2026-01-31": "early late",
        "next_unpaid_due_on[gte]=2026-06-30&next_unpaid_due_on[lte]=2026-06-30": "later",
        "days_past_due[gte]=1": "late",
        "days_past_due[gte]=107": "late",
        "days_past_due[gte]=108": "",
        "days_past_due[lte]=106": "later early draft",
        "days_past_due[lte]=107": "later early late draft",
        "days_past_due[gte]=0&days_past_due[lte]=0&status=active": "later early",
        "external_id=early": "early",
        "q=ZÚÑ": "draft",
        "q=zu@": "draft",
        "q=nobody": "",
    }
    found = {query: " ".join(await names(desk, query)) for query in expected}

    assert found == expected


async def test_lists_items_as_they_read_alone(desk: Desk, four: dict[str, JsonObject]) -> None:
    page = (await desk.api.get("/loans", params={"with_total": "true"})).json()

    assert list(page["items"]) == [await desk.read(four[item["external_id"]]) for item in page["items"]]
    assert (page["total"], page["total_is_exact"]) == (len(four), True)


@pytest.mark.parametrize("column", ["created_at", "principal", "disbursed_on", "next_unpaid_due_on"])
async def test_pages_through_each_order(desk: Desk, four: dict[str, JsonObject], column: str) -> None:
    for sort in (column, f"-{column}"):
        found: list[str] = []
        path = f"/loans?limit=1&sort={sort}"
        while path:
            answer = await desk.api.get(path)
            found += [item["external_id"] for item in answer.json()["items"]]
            path = answer.links["next"]["url"] if answer.links else ""

        assert found == await names(desk, f"sort={sort}")
        assert len(found) == len(four)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("principal[gte]=5", 422, "currency-needed"),
        ("principal[gte]=5.5&currency=CLP", 422, "invalid-request"),
        ("principal[gt]=5&currency=CLP", 422, "invalid-request"),
        ("currency=MXN&currency=USD", 422, "invalid-request"),
        ("currency=JPY", 422, "invalid-request"),
        ("status=late", 422, "invalid-request"),
        ("sort=notes", 422, "invalid-request"),
        ("days_past_due[gte]=-1", 422, "invalid-request"),
        ("disbursed_on[gte]=2026-02-30", 422, "invalid-request"),
        ("cursor=313a78", 400, "bad-cursor"),
        ("cursor=313a2d637265617465645f61747c397c39", 400, "bad-cursor"),
    ],
)
async def test_refuses_filters_that_are_none(desk: Desk, query: str, status: int, code: str) -> None:
    answer = await desk.api.get(f"/loans?{query}")

    assert (answer.status_code, code_of(answer)) == (status, code)


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("principal", "1e999999"),
        ("principal", "NaN"),
        ("principal", ""),
        ("-created_at", "2026-01-01"),
        ("-created_at", "0001-01-01 00:00:00+14"),
        ("-created_at", "2026-02-30 00:00:00+00"),
        ("disbursed_on", "2026-02-30"),
    ],
)
async def test_refuses_cursors_that_somebody_has_made_up(desk: Desk, sort: str, value: str) -> None:
    cursor = encode_cursor(f"{sort}|{value}|{NOBODY}")
    answer = await desk.api.get("/loans", params={"sort": sort, "cursor": cursor})

    assert (answer.status_code, code_of(answer)) == (400, "bad-cursor")


async def test_leaks_nothing_to_a_client_account(desk: Desk, four: dict[str, JsonObject]) -> None:
    desk.caller = account("client", subject_id=four["draft"]["client_id"])
    page = (await desk.api.get("/loans", params={"with_total": "true"})).json()
    other = (await desk.api.get("/loans", params={"client_id": four["late"]["client_id"], "with_total": "true"})).json()

    assert ([item["external_id"] for item in page["items"]], page["total"]) == (["draft"], 1)
    assert (other["items"], other["total"]) == ([], 0)
    assert await names(desk, "external_id=late") == []


async def test_adds_the_portfolio_up(desk: Desk, four: dict[str, JsonObject]) -> None:
    rows = (await desk.api.get("/portfolio")).json()["rows"]
    early = await desk.read(four["early"])
    current = f"{float(early['principal_outstanding']) + 10000:.2f}"

    assert rows == [
        {"currency": "CLP", "status": "draft", "bucket": "0", "loans": 1, "principal_outstanding": "0"},
        {"currency": "MXN", "status": "active", "bucket": "0", "loans": 2, "principal_outstanding": current},
        {"currency": "MXN", "status": "active", "bucket": "90+", "loans": 1, "principal_outstanding": "10000.00"},
    ]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "loans_newest"),
        ({"sort": "principal"}, "loans_by_principal"),
        ({"sort": "-disbursed_on"}, "loans_by_disbursement"),
        ({"sort": "next_unpaid_due_on"}, "loans_by_next_due"),
        ({"client_id": "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50"}, "loans_of_client"),
        ({"status": ["rejected"]}, "loans_of_status"),
        ({"external_id": "L-1"}, "loans_external_id"),
        ({"days_past_due[gte]": 3000, "sort": "next_unpaid_due_on"}, "loans_by_next_due"),
        ({"q": "last7777"}, "clients_last_name"),
    ],
)
async def test_plans_read_an_index(
    desk: Desk, database: AsyncEngine, settings: LoansSettings, query: dict[str, Any], index: str
) -> None:
    assert desk
    await fill(database, 20_000)
    context = RequestContext(desk.caller, NOON, "r", Policy(settings.time_zone, {}))
    statement = page_statement(listing_of(context, LoanQuery.model_validate(query)))
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # of SQLAlchemy
    compiled = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    async with database.connect() as connection:
        rows = await connection.exec_driver_sql(f"EXPLAIN {str(compiled).replace('%%', '%')}")
        plan = "\n".join(line for (line,) in rows)

    assert index in plan
    assert "Seq Scan on loans" not in plan


async def fill(database: AsyncEngine, count: int) -> None:
    """Clients with a loan each."""
    async with database.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in _FILL:
            await connection.execute(text(statement), {"count": count} if ":count" in statement else {})


_FILL = (
    """
    INSERT INTO clients (id, document_type, document_number, first_name, last_name, email, birth_date, created_at,
        updated_at, version, fingerprint)
    SELECT gen_random_uuid(), 'other', 'P' || n, 'First' || n, 'Last' || n, 'user' || n || '@example.com',
        date '1980-01-01', timestamptz '2026-01-01' + n * interval '1 second', now(), 1, ''
    FROM generate_series(1, :count) n
    """,
    """
    INSERT INTO loans (id, client_id, principal, currency, annual_rate_percent, term_months, method, day_count,
        interest_only_months, disburse_on, first_due_on, due_day, opening_fee, instalment_fee,
        late_annual_rate_percent, late_grace_days, status, instalment, last_due_on, total_interest, total_fees,
        effective_annual_rate_percent, principal_outstanding, next_unpaid_due_on, next_unpaid_payable_on, disbursed_on,
        approvals_needed, created_by, updated_by, created_at, updated_at, version, fingerprint)
    SELECT gen_random_uuid(), c.id, n, (ARRAY['MXN', 'USD'])[1 + n % 2], n % 60, 12, 'french', '30/360', 0, d, d, 1, 0,
        0, 0, 0, CASE n % 100 WHEN 0 THEN 'rejected' ELSE 'active' END, 1, d, 1, 1, 1, n, d, d, d, 1, 'x', 'x',
        timestamptz '2026-01-01' + n * interval '1 second', now(), 1, ''
    FROM (SELECT id, row_number() OVER () AS n FROM clients) c,
        LATERAL (SELECT date '2016-01-01' + (n % 3700)::int AS d) AS days
    """,
    "ANALYZE clients",
    "ANALYZE loans",
)
