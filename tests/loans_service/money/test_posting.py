from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loans_service.money.balance import balance_of, balance_on
from loans_service.money.ledger import fold as fold_of
from loans_service.money.parts import Parts
from loans_service.money.payments import (
    AmountExceedsPayoffError,
    BelowAccruedInterestError,
    ChoosePrepaymentError,
    Excess,
    Payment,
    PaymentRefusedError,
)
from loans_service.money.posting import post, prepayment_choices
from loans_service.money.schedule import schedule
from loans_service.money.terms import LoanTerms, Method
from tests.loans_service.money.examples import INSTALMENT, LATE, THREE_ON_TIME, YEAR
from tests.loans_service.money.strategies import payments_on, sound_terms

IN_MAY = date(2026, 5, 15)


def parts(fee: str = "0", late_interest: str = "0", interest: str = "0", principal: str = "0") -> Parts:
    return Parts(Decimal(fee), Decimal(late_interest), Decimal(interest), Decimal(principal))


def test_covers_fee_interest_and_principal_of_the_oldest_row_first() -> None:
    booking = post(YEAR, [], Payment(Decimal("1200.00"), date(2026, 3, 31))).booking

    assert booking.at_once == parts(fee="30.00", interest="385.09", principal="784.91")
    assert booking.held == 0


def test_holds_an_early_instalment_until_its_due_date() -> None:
    early = Payment(INSTALMENT, date(2026, 2, 25))

    booking = post(YEAR, [], early).booking

    assert booking.at_once == parts()
    assert booking.held == INSTALMENT
    assert balance_on(YEAR, [early], date(2026, 2, 27)).principal_outstanding == YEAR.principal
    assert balance_on(YEAR, [early], date(2026, 2, 28)).principal_outstanding == Decimal("9254.40")
    assert balance_on(YEAR, [early], date(2026, 2, 28)).held == 0


def test_tells_where_held_money_went() -> None:
    early = Payment(INSTALMENT, date(2026, 2, 25))

    posted = post(YEAR, [early], Payment(Decimal("10.00"), date(2026, 3, 1)))

    assert posted.ledger.bookings[0].later == parts(fee="15.00", interest="200.00", principal="745.60")
    assert posted.booking.held == Decimal("10.00")


def test_asks_what_to_do_with_more_than_the_next_row_takes() -> None:
    with pytest.raises(ChoosePrepaymentError, match=r"3000.00 are left over, and the next row takes 960.60: choose"):
        post(YEAR, THREE_ON_TIME, Payment(Decimal("3000.00"), IN_MAY))


def test_prepays_by_fewer_rows() -> None:
    posted = post(YEAR, THREE_ON_TIME, Payment(Decimal("3000.00"), IN_MAY, Excess.SHORTEN_TERM))

    assert posted.booking.at_once == parts(interest="77.18", principal="2922.82")
    assert balance_of(posted.ledger).principal_outstanding == Decimal("4795.35")
    assert [(row.slot.due_on, str(row.total)) for row in posted.ledger.coming] == [
        (date(2026, 5, 31), "960.60"),
        (date(2026, 6, 30), "960.60"),
        (date(2026, 7, 31), "960.60"),
        (date(2026, 8, 31), "960.60"),
        (date(2026, 9, 30), "960.60"),
        (date(2026, 10, 31), "343.03"),
    ]


def test_prepays_by_lower_instalments() -> None:
    posted = post(YEAR, THREE_ON_TIME, Payment(Decimal("3000.00"), IN_MAY, Excess.LOWER_INSTALMENT))

    first, *_, last = posted.ledger.coming
    assert (str(first.interest), str(first.principal), str(first.total)) == ("47.95", "533.79", "596.74")
    assert (last.slot.due_on, str(last.total)) == (date(2027, 1, 31), "596.77")


def test_prepays_a_bullet_loan_by_lower_interest_either_way() -> None:
    bullet = replace(YEAR, method=Method.BULLET)
    payment = Payment(Decimal("5000.00"), date(2026, 2, 28), Excess.SHORTEN_TERM)

    for excess in Excess:
        posted = post(bullet, [], replace(payment, excess=excess))

        assert posted.booking.at_once == parts(fee="15.00", interest="200.00", principal="4785.00")
        assert {row.interest for row in posted.ledger.coming} == {Decimal("104.30")}
        assert len(posted.ledger.coming) == 11


def test_stays_interest_only_after_a_prepayment() -> None:
    terms = replace(YEAR, interest_only_months=3)

    posted = post(terms, [], Payment(Decimal("5000.00"), date(2026, 2, 28), Excess.LOWER_INSTALMENT))

    assert [row.principal for row in posted.ledger.coming[:2]] == [0, 0]
    assert posted.ledger.coming[2].principal > 0
    assert len(posted.ledger.coming) == 11


def test_refuses_to_prepay_less_than_the_interest_to_the_day() -> None:
    with pytest.raises(BelowAccruedInterestError, match=r"not more than the 77.18 of interest"):
        post(YEAR, THREE_ON_TIME, Payment(Decimal("77.18"), IN_MAY, Excess.SHORTEN_TERM))


def test_shows_both_ways_to_prepay() -> None:
    choices = prepayment_choices(YEAR, THREE_ON_TIME, Payment(Decimal("3000.00"), IN_MAY))

    shorter, lower = choices[Excess.SHORTEN_TERM], choices[Excess.LOWER_INSTALMENT]
    assert (str(shorter.instalment), shorter.rows, shorter.last_due_on) == ("960.60", 6, date(2026, 10, 31))
    assert (str(lower.instalment), lower.rows, lower.last_due_on) == ("596.74", 9, date(2027, 1, 31))
    assert shorter.interest_saved == Decimal("454.32")
    assert lower.interest_saved == Decimal("274.66")


def test_has_nothing_to_choose_where_nothing_is_prepaid() -> None:
    assert prepayment_choices(YEAR, [], Payment(Decimal("100.00"), date(2026, 2, 28))) == {}


def test_counts_late_interest_on_the_principal_that_is_due() -> None:
    posted = post(LATE, [], Payment(INSTALMENT, date(2026, 3, 10)))

    assert posted.booking.at_once == parts(fee="15.00", late_interest="7.46", interest="200.00", principal="738.14")
    balance = balance_of(posted.ledger)
    assert balance.due == parts(principal="7.46")
    assert (balance.days_past_due, balance.bucket) == (10, "1-30")
    assert balance.payoff == Decimal("9323.56")


@pytest.mark.parametrize(
    ("day", "late_interest"),
    [(date(2026, 3, 10), "0.00"), (date(2026, 3, 11), "8.20")],
    ids=["the last day of grace", "the day after"],
)
def test_counts_late_interest_from_the_due_date_once_the_grace_is_over(day: date, late_interest: str) -> None:
    balance = balance_on(replace(LATE, late_grace_days=10), [], day)

    assert balance.due.late_interest == Decimal(late_interest)


def test_what_was_paid_within_the_grace_bears_no_late_interest() -> None:
    within = Payment(Decimal("560.60"), date(2026, 3, 5))

    balance = balance_on(replace(LATE, late_grace_days=10), [within], date(2026, 3, 20))

    assert balance.due.principal == Decimal("400.00")
    assert balance.due.late_interest == Decimal("8.00")  # 400.00 for twenty days


def test_is_not_late_before_the_next_business_day_is_over() -> None:
    terms = replace(LATE, holidays=frozenset())  # 28 February 2026 is a Saturday

    assert balance_on(terms, [], date(2026, 3, 2)).days_past_due == 0
    assert balance_on(terms, [], date(2026, 3, 2)).due.late_interest == 0
    assert balance_on(terms, [], date(2026, 3, 3)).days_past_due == 3
    assert balance_on(terms, [], date(2026, 3, 3)).due.late_interest == Decimal("2.24")


@pytest.mark.parametrize("excess", [None, *Excess])
def test_closes_by_exactly_the_payoff(excess: Excess | None) -> None:
    payoff = balance_on(YEAR, THREE_ON_TIME, IN_MAY).payoff

    posted = post(YEAR, THREE_ON_TIME, Payment(payoff, IN_MAY, excess))

    assert payoff == Decimal("7795.35")  # 7,718.17 and 77.18 of interest; no fee
    assert posted.ledger.closed_on == IN_MAY
    assert balance_of(posted.ledger).payoff == 0


def test_closes_early_by_the_last_instalment_in_full() -> None:
    paid = [Payment(INSTALMENT, row.slot.due_on) for row in schedule(YEAR).rows[:11]]
    early = Payment(Decimal("960.55"), date(2027, 1, 20))

    posted = post(YEAR, paid, early)

    assert posted.ledger.closed_on == early.paid_on
    assert posted.booking.at_once == parts(fee="15.00", interest="18.54", principal="927.01")


def test_refuses_more_than_closes_the_loan_and_tells_both_figures() -> None:
    paid = [Payment(INSTALMENT, row.slot.due_on) for row in schedule(YEAR).rows[:11]]

    with pytest.raises(AmountExceedsPayoffError, match=r"939.37 closes the loan, or 960.55 as its last instalment"):
        post(YEAR, paid, Payment(Decimal("950.00"), date(2027, 1, 20)))


def test_books_a_payment_before_later_ones() -> None:
    posted = post(LATE, [Payment(INSTALMENT, date(2026, 3, 31))], Payment(INSTALMENT, date(2026, 2, 28)))

    assert [booking.payment.paid_on.month for booking in posted.ledger.bookings] == [2, 3]
    assert balance_of(posted.ledger).due.total == 0


def test_refuses_an_earlier_payment_after_which_more_is_held_than_closes_the_loan() -> None:
    payoff = balance_on(YEAR, THREE_ON_TIME, IN_MAY).payoff
    closed = [*THREE_ON_TIME, Payment(payoff, IN_MAY)]

    with pytest.raises(AmountExceedsPayoffError):
        post(YEAR, closed, Payment(Decimal("500.00"), date(2026, 2, 20)))


@given(st.data())
def test_no_cent_is_lost(data: st.DataObject) -> None:
    terms = data.draw(sound_terms(most_months=36))
    standing = stand(terms, data.draw(payments_on(terms)))

    ledger = fold_of(terms, standing)

    for booking in ledger.bookings:
        spent = booking.at_once.total + booking.later.total
        assert spent + booking.held == booking.payment.amount
        assert min(*booking.at_once, *booking.later, booking.held) >= 0
    repaid = sum(booking.at_once.principal + booking.later.principal for booking in ledger.bookings)
    assert repaid + balance_of(ledger).principal_outstanding == terms.principal
    assert min(balance_of(ledger).due) >= 0


@given(st.data())
def test_paying_the_payoff_closes_the_loan_on_any_day(data: st.DataObject) -> None:
    terms = data.draw(sound_terms(most_months=36))
    standing = stand(terms, data.draw(payments_on(terms)))
    day = max([payment.paid_on for payment in standing], default=terms.disbursed_on) + timedelta(
        days=data.draw(st.integers(0, 400))
    )
    payoff = balance_on(terms, standing, day).payoff

    if payoff:
        closed = post(terms, standing, Payment(payoff, day)).ledger
        assert closed.closed_on == day
        assert balance_of(closed).payoff == 0
        assert not closed.coming


@given(st.data())
def test_a_balance_is_the_same_whichever_way_its_day_was_reached(data: st.DataObject) -> None:
    terms = data.draw(sound_terms(most_months=36))
    standing = stand(terms, data.draw(payments_on(terms)))
    day = terms.disbursed_on + timedelta(days=data.draw(st.integers(0, 1200)))

    by_way = fold_of(terms, [payment for payment in standing if payment.paid_on <= day])
    by_way.advance(day)

    assert balance_of(by_way) == balance_on(terms, standing, day)


@given(st.data())
def test_a_reversal_leaves_the_books_of_the_others(data: st.DataObject) -> None:
    terms = data.draw(sound_terms(most_months=24))
    standing = stand(terms, data.draw(payments_on(terms)))
    reversed_one = data.draw(st.sampled_from(standing)) if standing else None

    rest = [payment for payment in standing if payment is not reversed_one]
    ledger = fold_of(terms, rest)

    repaid = sum(booking.at_once.principal + booking.later.principal for booking in ledger.bookings)
    assert repaid + balance_of(ledger).principal_outstanding == terms.principal
    assert ledger.held >= 0


def stand(terms: LoanTerms, payments: list[Payment]) -> list[Payment]:
    """Those of the payments that are not refused, each after those before it."""
    standing: list[Payment] = []
    for payment in payments:
        try:
            post(terms, standing, payment)
        except PaymentRefusedError:
            continue
        standing.append(payment)
    return standing
