"""Payments that are taken back."""

from tests.loans_service.conftest import Desk, code_of, three_on_time


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
