"""Exact amounts: 34 digits, one rounding of an amount, half to even, to the currency's smallest unit."""

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import wraps
from typing import Final, ParamSpec, TypeVar

_MONEY: Final = Context(prec=34, rounding=ROUND_HALF_EVEN)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def exactly(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compute with 34 digits inside a function, whatever the caller's context is."""

    @wraps(function)
    def in_context(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with localcontext(_MONEY):
            return function(*args, **kwargs)

    return in_context


def interest(balance: Decimal, rate_percent: Decimal, days: int, base: int, unit: Decimal) -> Decimal:
    """Simple interest for some days, rounded to `unit`.

    The products come first and one division last: a period's rate that is rounded before would turn ties.
    """
    return (balance * rate_percent * days / (100 * base)).quantize(unit)
