"""Columns as the API spells them, so that a row reads the same alone and in a list whose JSON PostgreSQL makes."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Text, case, cast, func

from loans_service.money.currencies import MINOR_UNIT_DIGITS

_WITHOUT_DECIMALS: Final = sorted(code for code, digits in MINOR_UNIT_DIGITS.items() if digits == 0)


def amount_shown(amount: ColumnElement[Any], currency: ColumnElement[Any]) -> ColumnElement[Any]:
    """An amount with exactly the decimals of its currency."""
    digits = case((currency.in_(_WITHOUT_DECIMALS), 0), else_=2)
    return cast(func.round(amount, digits), Text)


def rate_shown(rate: ColumnElement[Any]) -> ColumnElement[Any]:
    """A rate without zeros at its end."""
    return cast(func.trim_scale(rate), Text)
