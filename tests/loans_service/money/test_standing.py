"""What is stored beside a loan stays true while days pass: it says on each day what a fold until that day says."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from loans_service.money.balance import balance_on
from loans_service.money.ledger import fold
from loans_service.money.standing import standing
from tests.loans_service.money.strategies import payments_on, sound_terms


@given(st.data(), st.integers(0, 400))
def test_says_on_each_day_what_a_fold_says(data: st.DataObject, days: int) -> None:
    terms = data.draw(sound_terms(most_months=18))
    payments = data.draw(payments_on(terms))
    books = standing(terms, payments)
    last = max([terms.disbursed_on, *(payment.paid_on for payment in payments)])
    day = last + timedelta(days=days)
    balance = balance_on(terms, payments, day)
    unpaid = books.next_unpaid
    late = (day - unpaid.due_on).days if unpaid and day > unpaid.payable_on else 0

    assert books.outstanding_on(day) == balance.principal_outstanding
    assert late == balance.days_past_due


@given(st.data())
def test_is_closed_as_the_fold_is(data: st.DataObject) -> None:
    terms = data.draw(sound_terms(most_months=18))
    payments = data.draw(payments_on(terms))

    assert standing(terms, payments).closed_on == fold(terms, payments).closed_on
