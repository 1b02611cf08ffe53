from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loans_service.money.dates import DayCount, days_between, due_dates, next_business_day

DAYS = st.dates(date(1990, 1, 1), date(2080, 12, 31))


def test_falls_due_on_the_last_day_of_a_month_too_short() -> None:
    assert due_dates(date(2026, 1, 31), due_day=31, count=4) == [
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
    ]


def test_falls_due_on_29_february_in_a_leap_year() -> None:
    assert due_dates(date(2027, 12, 30), due_day=30, count=3)[-1] == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("start", "end", "due_day", "days"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), 31, 30),
        (date(2026, 2, 28), date(2026, 3, 31), 31, 30),
        (date(2028, 2, 29), date(2028, 3, 31), 31, 30),
        (date(2026, 4, 30), date(2026, 5, 15), 31, 15),
        (date(2026, 2, 28), date(2026, 3, 10), 31, 10),
        (date(2026, 2, 28), date(2026, 3, 15), 15, 17),
        (date(2026, 2, 28), date(2026, 3, 29), 29, 30),
        (date(2026, 1, 10), date(2027, 1, 10), 10, 360),
    ],
)
def test_counts_every_whole_month_as_30_days(start: date, end: date, due_day: int, days: int) -> None:
    assert days_between(start, end, DayCount.THIRTY_360, due_day) == days


@pytest.mark.parametrize("day_count", [DayCount.ACT_365, DayCount.ACT_360])
def test_counts_calendar_days_in_leap_years_too(day_count: DayCount) -> None:
    assert days_between(date(2028, 1, 31), date(2028, 3, 1), day_count, due_day=31) == 30


@given(st.lists(DAYS, min_size=3, max_size=3).map(sorted), st.sampled_from(DayCount), st.integers(1, 31))
def test_stretches_add_up(days: list[date], day_count: DayCount, due_day: int) -> None:
    start, middle, end = days

    first = days_between(start, middle, day_count, due_day)
    second = days_between(middle, end, day_count, due_day)

    assert min(first, second) >= 0
    assert first + second == days_between(start, end, day_count, due_day)


@given(DAYS, st.integers(1, 31), st.integers(1, 480))
def test_months_between_due_days_are_30_days(day: date, due_day: int, months: int) -> None:
    first, *_, last = due_dates(day, due_day, months + 1)

    assert days_between(first, last, DayCount.THIRTY_360, due_day) == 30 * months


@pytest.mark.parametrize(
    ("day", "payable_on"),
    [
        (date(2026, 5, 15), date(2026, 5, 15)),
        (date(2026, 5, 16), date(2026, 5, 18)),
        (date(2026, 5, 1), date(2026, 5, 4)),
    ],
    ids=["a business day", "a Saturday", "a holiday before a weekend"],
)
def test_moves_to_the_next_business_day(day: date, payable_on: date) -> None:
    assert next_business_day(day, {date(2026, 5, 1)}) == payable_on
