import asyncio

import httpx
import pytest

from tests.loans_service.conftest import NOBODY, YEAR, Desk, client_id, code_of

TERMS = {**YEAR, "opening_fee": "300.00"}


async def test_drafts_a_loan(desk: Desk) -> None:
    client = await desk.client()
    answer = await desk.api.post("/loans", json={**TERMS, "client_id": client["id"], "external_id": "L-1"})
    loan = answer.json()

    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert answer.headers["location"] == f"/loans/{loan['id']}"
    assert loan == {
        "id": loan["id"],
        "external_id": "L-1",
        "client_id": client["id"],
        **TERMS,
        "interest_only_months": 0,
        "late_annual_rate_percent": "0",
        "late_grace_days": 0,
        "business_days": None,
        "notes": None,
        "status": "draft",
        "instalment": "960.60",
        "last_due_on": "2027-01-31",
        "total_interest": "1347.15",
        "total_fees": "480.00",
        "effective_annual_rate_percent": "26.82",
        "annual_cost_percent": "38.65",
        "principal_outstanding": "0.00",
        "next_unpaid_due_on": None,
        "days_past_due": 0,
        "approvals": [],
        "approvals_missing": 1,
        "disbursed_on": None,
        "paid_on": None,
        "created_by": desk.caller.email,
        "updated_by": desk.caller.email,
        "created_at": "2026-06-15T18:00:00Z",
        "updated_at": "2026-06-15T18:00:00Z",
    }
    assert (await desk.api.get(f"/loans/{loan['id']}")).json() == loan


async def test_quotes_the_cents_of_the_loan(desk: Desk) -> None:
    quote = (await desk.api.post("/loans/quote", json=TERMS)).json()
    loan = await desk.loan(**TERMS)
    rows = quote.pop("rows")

    assert quote == {name: loan[name] for name in quote}
    assert (rows[0]["total"], rows[0]["balance"], rows[11]["total"]) == ("960.60", "9254.40", "960.55")
    assert rows[0] == {
        "number": 1,
        "due_on": "2026-02-28",
        "payable_on": "2026-02-28",
        "principal": "745.60",
        "interest": "200.00",
        "fee": "15.00",
        "total": "960.60",
        "balance": "9254.40",
        "paid": "0.00",
        "state": "scheduled",
    }


async def test_quotes_a_currency_without_decimals(api: httpx.AsyncClient) -> None:
    terms = {**YEAR, "currency": "CLP", "principal": 1_000_000, "annual_rate_percent": 12.9, "term_months": 7}
    quote = (await api.post("/loans/quote", json={**terms, "method": "german", "instalment_fee": 0})).json()

    assert [row["principal"] for row in quote["rows"]] == ["142857"] * 6 + ["142858"]
    assert (quote["total_interest"], quote["annual_cost_percent"]) == ("43000", "13.69")


@pytest.mark.parametrize(
    ("terms", "first"),
    [
        ({"first_due_on": None, "due_day": None}, ("2026-02-28", 28)),
        ({"first_due_on": None, "due_day": 31}, ("2026-02-28", 31)),
        ({"first_due_on": "2026-03-15", "due_day": None}, ("2026-03-15", 15)),
    ],
)
async def test_completes_the_due_dates(desk: Desk, terms: dict[str, object], first: tuple[str, int]) -> None:
    loan = await desk.loan(**terms)

    assert (loan["first_due_on"], loan["due_day"]) == first


async def test_moves_the_last_day_to_pay_to_a_business_day(api: httpx.AsyncClient) -> None:
    """28 February 2026 is a Saturday, and 1 May is a holiday."""
    terms = {**YEAR, "business_days": "MX", "disburse_on": "2026-01-01", "first_due_on": "2026-02-01", "due_day": 1}
    rows = (await api.post("/loans/quote", json=terms)).json()["rows"]

    assert (rows[0]["due_on"], rows[0]["payable_on"]) == ("2026-02-01", "2026-02-03")  # Sunday, Constitution Day
    assert (rows[3]["due_on"], rows[3]["payable_on"]) == ("2026-05-01", "2026-05-04")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"principal": 0}, "invalid-request"),
        ({"principal": "10000.005"}, "invalid-request"),
        ({"currency": "JPY"}, "invalid-request"),
        ({"annual_rate_percent": "1000.1"}, "invalid-request"),
        ({"annual_rate_percent": "24.1234567"}, "invalid-request"),
        ({"term_months": 0}, "invalid-request"),
        ({"term_months": 481}, "invalid-request"),
        ({"term_months": "12"}, "invalid-request"),
        ({"term_months": True}, "invalid-request"),
        ({"method": "balloon"}, "invalid-request"),
        ({"method": "bullet", "interest_only_months": 1}, "invalid-request"),
        ({"interest_only_months": 12}, "invalid-request"),
        ({"first_due_on": "2026-01-31"}, "invalid-request"),
        ({"first_due_on": "2026-05-31"}, "invalid-request"),
        ({"due_day": 28}, None),
        ({"due_day": 30}, None),
        ({"due_day": 27}, "invalid-request"),
        ({"opening_fee": "10000.00"}, "invalid-request"),
        ({"late_grace_days": 61}, "invalid-request"),
        ({"business_days": "XX"}, "invalid-request"),
        ({"disburse_on": "2026-02-30"}, "invalid-request"),
        ({"taxes": 1}, "invalid-request"),
        ({"annual_rate_percent": 24, "term_months": 480, "principal": "100.00"}, "unsound-terms"),
    ],
)
async def test_refuses_terms_that_are_none(api: httpx.AsyncClient, changes: dict[str, object], code: str) -> None:
    answer = await api.post("/loans/quote", json={**YEAR, **changes})

    assert answer.status_code == (422 if code else 200), answer.text
    assert code is None or code_of(answer) == code


async def test_answers_the_same_loan_again(desk: Desk) -> None:
    sent = {**YEAR, "id": client_id(), "client_id": (await desk.client())["id"]}
    first = await desk.api.post("/loans", json=sent)
    again = await desk.api.post("/loans", json={**sent, "principal": 10000})
    other = await desk.api.post("/loans", json={**sent, "principal": 10001})

    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert (other.status_code, code_of(other)) == (409, "id-taken")


async def test_refuses_a_client_that_there_is_not(api: httpx.AsyncClient) -> None:
    answer = await api.post("/loans", json={**YEAR, "client_id": NOBODY})

    assert (answer.status_code, code_of(answer)) == (422, "unknown-client")


async def test_refuses_the_external_id_of_another_loan(desk: Desk) -> None:
    loan = await desk.loan(external_id="L-1")
    answer = await desk.api.post("/loans", json={**YEAR, "client_id": loan["client_id"], "external_id": "L-1"})

    assert (answer.status_code, code_of(answer)) == (409, "external-id-taken")


async def test_keeps_a_client_that_has_loans(desk: Desk) -> None:
    loan = await desk.loan()
    await desk.loan(client_id=loan["client_id"])
    answer = await desk.api.delete(f"/clients/{loan['client_id']}")

    assert (answer.status_code, code_of(answer), answer.json()["loans"]) == (409, "client-has-loans", {"draft": 2})


async def test_lets_a_client_go_or_have_a_loan_but_not_both(desk: Desk) -> None:
    for _ in range(5):
        client = await desk.client(document_type="other")
        drafted, deleted = await asyncio.gather(
            desk.api.post("/loans", json={**YEAR, "client_id": client["id"]}),
            desk.api.delete(f"/clients/{client['id']}"),
        )

        assert (drafted.status_code, deleted.status_code) in {(201, 409), (422, 204)}
