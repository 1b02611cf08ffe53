"""The worked stories of the money engine, through the API: to the cent."""

from datetime import UTC, datetime

import pytest

from tests.loans_service.conftest import Desk, code_of, three_on_time

LATE = {"late_annual_rate_percent": "36"}


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
