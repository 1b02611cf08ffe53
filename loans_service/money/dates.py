"""Due dates, and the days between two dates as a loan counts them."""

from calendar import monthrange
from collections.abc import Container
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

_MONTH_DAYS: Final = 30
_SATURDAY: Final = 5


class DayCount(StrEnum):
    """How the days of interest are counted."""

    THIRTY_360 = "30/360"
    ACT_365 = "ACT/365"
    ACT_360 = "ACT/360"

    @property
    def base(self) -> int:
        """Days of a year."""
        return 365 if self is DayCount.ACT_365 else 360


def month_index(day: date) -> int:
    """Months since the year 0, so that months can be subtracted."""
    return day.year * 12 + day.month - 1


def day_in_month(index: int, due_day: int) -> date:
    """The due day of a month, or its last day if the month is too short for it."""
    year, month = divmod(index, 12)
    return date(year, month + 1, min(due_day, monthrange(year, month + 1)[1]))


def due_dates(first_due_on: date, due_day: int, count: int) -> list[date]:
    """A date a month: 31 January, 28 February, 31 March for the due day 31."""
    first = month_index(first_due_on)
    return [day_in_month(index, due_day) for index in range(first, first + count)]


def days_between(start: date, end: date, day_count: DayCount, due_day: int) -> int:
    """Days of interest from one date to a later one.

    With 30/360 every whole month is 30 days, February too: a due day counts as its number, and 31 as 30. So the days of
    two stretches that follow each other add up to the days of both.
    """
    if day_count is not DayCount.THIRTY_360:
        return (end - start).days
    months = month_index(end) - month_index(start)
    return _MONTH_DAYS * months + _day_number(end, due_day) - _day_number(start, due_day)


def _day_number(day: date, due_day: int) -> int:
    is_due_day = day.day == due_day or (day.day < due_day and day.day == monthrange(day.year, day.month)[1])
    return min(due_day if is_due_day else day.day, _MONTH_DAYS)


def next_business_day(day: date, holidays: Container[date]) -> date:
    """The day itself, or the first one after it that is no Saturday, no Sunday and no holiday."""
    while day.weekday() >= _SATURDAY or day in holidays:
        day += timedelta(days=1)
    return day
