"""Payments that are sent again, or many at once."""

import asyncio
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.loans_service.conftest import NOON, Desk, account, code_of, three_on_time


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
