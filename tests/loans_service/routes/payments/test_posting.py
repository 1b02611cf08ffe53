"""The worked stories of the money engine, through the API: to the cent."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.loans_service.conftest import NOON, Desk, JsonObject, account, code_of

LATE = {"late_annual_rate_percent": "36"}
ON_TIME = ("2026-02-28", "2026-03-31", "2026-04-30")


async def three_on_time(desk: Desk, **changes: object) -> JsonObject:
    loan = await desk.active_loan(**changes)
    for day in ON_TIME:
        await desk.pay(loan, "960.60", day)
    return loan


async def test_books_what_was_due(desk: Desk) -> None:
    loan = await desk.active_loan()
    payment = await desk.pay(loan, "960.60", "2026-02-28", reference="SPEI 1", note="first")

    assert payment == {
        "id": payment["id"],
        "loan_id": loan["id"],
        "number": 1,
        "amount": "960.60",
        "paid_on": "2026-02-28",
        "excess": None,
        "reference": "SPEI 1",
        "note": "first",
        "fee": "15.00",
        "late_interest": "0.00",
        "interest": "200.00",
        "principal": "745.60",
        "held": "0.00",
        "applied_later": {"fee": "0.00", "late_interest": "0.00", "interest": "0.00", "principal": "0.00"},
        "reversed_at": None,
        "reversed_by": None,
        "reverse_reason": None,
        "created_by": desk.caller.email,
        "created_at": "2026-06-15T18:00:00Z",
    }
    after = await desk.read(loan)
    assert (after["principal_outstanding"], after["next_unpaid_due_on"]) == ("9254.40", "2026-03-31")
    assert await desk.read(loan, f"/payments/{payment['id']}") == payment


async def test_charges_late_interest(desk: Desk) -> None:
    loan = await desk.active_loan(**LATE)
    payment = await desk.pay(loan, "960.60", "2026-03-10")
    balance = await desk.read(loan, "/balance", as_of="2026-03-10")

    assert [payment[name] for name in ("fee", "late_interest", "interest", "principal")] == [
        *("15.00", "7.46", "200.00", "738.14")
    ]
    assert (balance["due_total"], balance["days_past_due"], balance["payoff"]) == ("7.46", 10, "9323.56")
    assert balance["bucket"] == "1-30"


@pytest.mark.parametrize(
    ("excess", "rows", "first", "last"),
    [
        ("shorten_term", 9, "960.60", ("2026-10-31", "343.03")),
        ("lower_instalment", 12, "596.74", ("2027-01-31", "596.77")),
    ],
)
async def test_prepays_as_chosen(desk: Desk, excess: str, rows: int, first: str, last: tuple[str, str]) -> None:
    loan = await three_on_time(desk)
    payment = await desk.pay(loan, "3000.00", "2026-05-15", excess=excess)
    schedule = (await desk.read(loan, "/schedule"))["rows"]

    assert (payment["interest"], payment["principal"]) == ("77.18", "2922.82")
    assert (await desk.read(loan))["principal_outstanding"] == "4795.35"
    assert (len(schedule), schedule[3]["total"]) == (rows, first)
    assert (schedule[-1]["due_on"], schedule[-1]["total"]) == last


async def test_tells_both_ways_to_prepay_who_has_chosen_none(desk: Desk) -> None:
    loan = await three_on_time(desk)
    answer = await desk.try_to_pay(loan, "3000.00", "2026-05-15")
    quote = await desk.api.post(
        f"/loans/{loan['id']}/payments/quote", json={"amount": "3000.00", "paid_on": "2026-05-15"}
    )

    assert (answer.status_code, code_of(answer)) == (422, "choose-prepayment")
    assert answer.json()["choices"] == quote.json()["choices"]
    assert quote.json()["choices"]["lower_instalment"] == {
        "instalment": "596.74",
        "last_due_on": "2027-01-31",
        "rows": 9,
        "interest_saved": quote.json()["choices"]["lower_instalment"]["interest_saved"],
    }
    assert (quote.json()["needs_choice"], quote.json()["allocation"]["principal"]) == (True, "0.00")


async def test_holds_what_comes_early_and_applies_it_on_its_day(desk: Desk) -> None:
    loan = await desk.active_loan()
    desk.now = datetime(2026, 2, 25, 18, tzinfo=UTC)
    payment = await desk.pay(loan, "960.60")
    before = await desk.read(loan)
    desk.now = datetime(2026, 2, 28, 18, tzinfo=UTC)
    after, later = await desk.read(loan), await desk.read(loan, f"/payments/{payment['id']}")
    listed = (await desk.read(loan, "/payments"))["items"]

    assert (payment["held"], payment["principal"]) == ("960.60", "0.00")
    assert (before["principal_outstanding"], before["next_unpaid_due_on"]) == ("10000.00", "2026-03-31")
    assert (after["principal_outstanding"], after["next_unpaid_due_on"]) == ("9254.40", "2026-03-31")
    assert (later["held"], later["applied_later"]["principal"]) == ("0.00", "745.60")
    assert listed == [later]


async def test_refuses_more_than_closes_the_loan(desk: Desk) -> None:
    loan = await three_on_time(desk)
    answer = await desk.try_to_pay(loan, "20000.00", "2026-05-15", excess="shorten_term")

    assert (answer.status_code, code_of(answer)) == (422, "amount-exceeds-payoff")
    assert answer.json()["payoff"] == (await desk.read(loan, "/balance", as_of="2026-05-15"))["payoff"]


async def test_closes_the_loan_by_exactly_the_payoff(desk: Desk) -> None:
    loan = await three_on_time(desk)
    payoff = (await desk.read(loan, "/balance", as_of="2026-05-15"))["payoff"]
    await desk.pay(loan, payoff, "2026-05-15")
    closed = await desk.read(loan)
    more = await desk.try_to_pay(loan, "1.00")

    assert (closed["status"], closed["paid_on"], closed["principal_outstanding"]) == ("paid", "2026-05-15", "0.00")
    assert (closed["next_unpaid_due_on"], closed["days_past_due"]) == (None, 0)
    assert (more.status_code, code_of(more), more.json()["legal_commands"]) == (409, "not-in-this-status", ["reverse"])


async def test_refuses_a_prepayment_below_the_interest_to_the_day(desk: Desk) -> None:
    loan = await three_on_time(desk)
    answer = await desk.try_to_pay(loan, "10.00", "2026-05-15", excess="shorten_term")

    assert (answer.status_code, code_of(answer)) == (422, "below-accrued-interest")


@pytest.mark.parametrize(
    ("amount", "paid_on"),
    [
        ("960.60", "2026-06-16"),
        ("960.60", "2026-01-30"),
        ("960.605", "2026-02-28"),
        ("0", "2026-02-28"),
        ("-1", "2026-02-28"),
        ("NaN", "2026-02-28"),
        ("1e3", "2026-02-28"),
        ("960.60", "2026-02-30"),
    ],
)
async def test_refuses_amounts_and_days_that_are_none(desk: Desk, amount: str, paid_on: str) -> None:
    answer = await desk.try_to_pay(await desk.active_loan(), amount, paid_on)

    assert (answer.status_code, code_of(answer)) == (422, "invalid-request")


async def test_refuses_a_decimal_that_the_currency_has_not(desk: Desk) -> None:
    loan = await desk.active_loan(currency="CLP", principal=1_000_000, instalment_fee=0)

    assert code_of(await desk.try_to_pay(loan, "1000.5")) == "invalid-request"


async def test_takes_no_payments_of_a_draft(desk: Desk) -> None:
    assert code_of(await desk.try_to_pay(await desk.loan(), "1.00")) == "not-in-this-status"


async def test_leaves_a_loan_written_off_whatever_is_recovered(desk: Desk) -> None:
    loan = await desk.active_loan()
    await desk.do(loan, "write-off", reason="Gone.")
    await desk.pay(loan, (await desk.read(loan, "/balance"))["payoff"])
    after = await desk.read(loan)

    assert (after["status"], after["principal_outstanding"]) == ("written_off", "0.00")


async def test_cancels_no_loan_on_which_a_payment_stands(desk: Desk) -> None:
    loan = await desk.active_loan()
    payment = await desk.pay(loan, "960.60", "2026-02-28")
    refused = await desk.try_to(loan, "cancel", reason="Came back.")
    await desk.api.post(f"/loans/{loan['id']}/payments/{payment['id']}/reverse", json={"reason": "Bounced."})
    cancelled = await desk.do(loan, "cancel", reason="Came back.")

    assert code_of(refused) == "not-in-this-status"
    assert "cancel" not in refused.json()["legal_commands"]
    assert cancelled["status"] == "cancelled"


class TestReversing:
    async def test_allocates_later_payments_anew(self, desk: Desk) -> None:
        loan = await desk.active_loan()
        first = await desk.pay(loan, "960.60", "2026-02-28")
        await desk.pay(loan, "960.60", "2026-03-31")
        path = f"/loans/{loan['id']}/payments/{first['id']}/reverse"
        reversed_ = await desk.api.post(path, json={"reason": "Bounced."})
        again = await desk.api.post(path, json={"reason": "Bounced."})
        _, second = (await desk.read(loan, "/payments"))["items"]

        assert (reversed_.json()["reverse_reason"], reversed_.json()["principal"]) == ("Bounced.", "0.00")
        assert (again.status_code, code_of(again)) == (409, "already-reversed")
        assert (second["interest"], second["principal"]) == ("200.00", "745.60")
        assert (await desk.read(loan))["next_unpaid_due_on"] == "2026-03-31"

    async def test_opens_a_paid_loan_again(self, desk: Desk) -> None:
        loan = await three_on_time(desk)
        last = await desk.pay(loan, (await desk.read(loan, "/balance"))["payoff"])
        await desk.api.post(f"/loans/{loan['id']}/payments/{last['id']}/reverse", json={"reason": "Bounced."})
        after = await desk.read(loan)

        assert (after["status"], after["paid_on"], after["principal_outstanding"]) == ("active", None, "7718.17")

    async def test_knows_the_payments_of_this_loan_alone(self, desk: Desk) -> None:
        loan, other = await desk.active_loan(), await desk.active_loan()
        payment = await desk.pay(other, "960.60")
        answer = await desk.api.post(
            f"/loans/{loan['id']}/payments/{payment['id']}/reverse", json={"reason": "Bounced."}
        )

        assert (answer.status_code, code_of(answer)) == (404, "payment-not-found")


class TestIdempotency:
    async def test_answers_the_first_payment_again(self, desk: Desk) -> None:
        loan = await desk.active_loan()
        first = await desk.try_to_pay(loan, "960.60", "2026-02-28", key="k")
        again = await desk.try_to_pay(loan, "960.6", "2026-02-28", key='"k"')
        other = await desk.try_to_pay(loan, "960.61", "2026-02-28", key="k")

        assert (again.status_code, again.json()) == (201, first.json())
        assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
        assert again.headers["location"] == first.headers["location"]
        assert (other.status_code, code_of(other)) == (422, "idempotency-key-reused")
        assert len((await desk.read(loan, "/payments"))["items"]) == 1

    async def test_is_required(self, desk: Desk) -> None:
        loan = await desk.active_loan()
        answer = await desk.api.post(f"/loans/{loan['id']}/payments", json={"amount": "1.00"})

        assert (answer.status_code, code_of(answer)) == (400, "idempotency-key-required")

    async def test_belongs_to_the_account(self, desk: Desk) -> None:
        loan = await desk.active_loan()
        await desk.pay(loan, "960.60", "2026-02-28", key="k")
        desk.caller = account("officer")

        assert (await desk.try_to_pay(loan, "960.60", "2026-03-31", key="k")).status_code == 201

    async def test_is_kept_for_90_days(self, desk: Desk, database: AsyncEngine) -> None:
        loan = await desk.active_loan()
        await desk.pay(loan, "960.60", "2026-02-28", key="old")
        desk.now = NOON + timedelta(days=90)
        again = await desk.try_to_pay(loan, "960.60", "2026-03-31", key="old")
        desk.now = NOON + timedelta(days=181)
        await desk.pay(loan, "960.60", "2026-04-30", key="new")
        async with database.connect() as connection:
            keys = (await connection.scalars(text("SELECT key FROM idempotency_keys"))).all()

        assert (again.status_code, "idempotent-replayed" in again.headers, keys) == (201, False, ["new"])

    async def test_does_not_keep_a_refusal(self, desk: Desk) -> None:
        loan = await desk.active_loan()
        refused = await desk.try_to_pay(loan, "99999.00", key="k")
        booked = await desk.try_to_pay(loan, "960.60", "2026-02-28", key="k")

        assert (refused.status_code, booked.status_code) == (422, 201)

    async def test_lets_a_crowd_with_one_key_book_once(self, desk: Desk) -> None:
        loan = await desk.active_loan()
        answers = await asyncio.gather(*(desk.try_to_pay(loan, "960.60", "2026-02-28", key="k") for _ in range(200)))

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert len((await desk.read(loan, "/payments"))["items"]) == 1


async def test_books_a_crowd_of_payments_one_after_the_other(desk: Desk) -> None:
    """200 at once on one loan: all are answered, and none is lost."""
    loan = await desk.active_loan()
    answers = await asyncio.gather(*(desk.try_to_pay(loan, "1.00", "2026-02-28") for _ in range(200)))
    payments = (await desk.read(loan, "/payments", limit="1000"))["items"]

    assert {answer.status_code for answer in answers} == {201}
    assert [payment["number"] for payment in payments] == list(range(1, 201))


async def test_books_never_more_than_is_owed(desk: Desk) -> None:
    loan = await three_on_time(desk)
    payoff = (await desk.read(loan, "/balance"))["payoff"]
    answers = await asyncio.gather(*(desk.try_to_pay(loan, payoff) for _ in range(10)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9


class TestLists:
    async def test_page_in_both_directions(self, desk: Desk) -> None:
        loan = await three_on_time(desk)
        for sort, order in (("created_at", [1, 2, 3]), ("-created_at", [3, 2, 1])):
            found: list[int] = []
            path = f"/loans/{loan['id']}/payments?limit=2&sort={sort}&with_total=true"
            while path:
                answer = await desk.api.get(path)
                found += [item["number"] for item in answer.json()["items"]]
                path = answer.links["next"]["url"] if answer.links else ""

            assert (found, answer.json()["total"]) == (order, 3)

    async def test_refuse_a_cursor_of_another_sort(self, desk: Desk) -> None:
        loan = await three_on_time(desk)
        page = await desk.read(loan, "/payments", limit="1")
        answer = await desk.api.get(
            f"/loans/{loan['id']}/payments", params={"sort": "-created_at", "cursor": page["next_cursor"]}
        )

        assert (answer.status_code, code_of(answer)) == (400, "bad-cursor")


class TestSchedules:
    async def test_tell_what_has_become_of_each_row(self, desk: Desk) -> None:
        loan = await desk.active_loan()
        await desk.pay(loan, "960.60", "2026-02-28")
        await desk.pay(loan, "500.00", "2026-03-31")
        rows = (await desk.read(loan, "/schedule"))["rows"]
        original = (await desk.read(loan, "/schedule", original="true"))["rows"]

        assert [row["state"] for row in rows[:5]] == ["paid", "late", "late", "late", "scheduled"]
        assert [row["paid"] for row in rows[:3]] == ["960.60", "500.00", "0.00"]
        assert {(row["state"], row["paid"]) for row in original} == {("scheduled", "0.00")}

    async def test_read_the_same_as_csv(self, desk: Desk) -> None:
        loan = await desk.active_loan()
        rows = (await desk.read(loan, "/schedule"))["rows"]
        answer = await desk.api.get(f"/loans/{loan['id']}/schedule", headers={"Accept": "text/csv"})
        head, *lines = answer.text.splitlines()

        assert answer.headers["content-type"].startswith("text/csv")
        assert [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines] == [
            {name: str(value) for name, value in row.items()} for row in rows
        ]


async def test_owes_nothing_before_it_is_paid_out(desk: Desk) -> None:
    draft, active = await desk.loan(), await desk.active_loan()
    balances = [await desk.read(draft, "/balance"), await desk.read(active, "/balance", as_of="2026-01-30")]

    assert [balance["payoff"] for balance in balances] == ["0.00", "0.00"]
    assert [balance["next_instalment"] for balance in balances] == [None, None]


async def test_reads_the_balance_of_days_to_come(desk: Desk) -> None:
    loan = await three_on_time(desk)
    balance = await desk.read(loan, "/balance", as_of="2026-09-15")

    assert (balance["days_past_due"], balance["bucket"]) == (107, "90+")  # since 31 May
    assert balance["next_instalment"]["due_on"] == "2026-09-30"
