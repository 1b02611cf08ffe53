"""Translates PostgreSQL's errors for callers, and removes the values of rows from them, which are personal data.

PostgreSQL quotes a row in the DETAIL of a violation (`Key (document_number)=(PAB123456) already exists`), and a value
in the message of a data exception; the driver quotes an argument that it cannot encode. These are removed from the
error itself, so no log, trace, response or dead letter can show them.
"""

from collections.abc import Iterator
from typing import Final

import asyncpg

from service_kit.problems import StoreUnavailableError

_GONE: Final = ("08", "57P", "25P")
"""The connection is lost, the server is starting or stopping, or it has ended an idle session."""
_OUT_OF_ORDER: Final = (*_GONE, "53", "58", "25006")
"""The server lacks a resource, or is a standby. Source: PostgreSQL's documentation, appendix A."""
_UNDONE: Final = ("40001", "40P01")
_LATE: Final = {
    "55P03": "Somebody else is changing what this needs, and takes too long. Try again in a few seconds.",
    "57014": "The database takes too long for this. Try again in a few seconds.",
}
_DATA_EXCEPTION: Final = "22"

DRIVER_ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError)
"""Errors of the driver's own connection, which SQLAlchemy does not wrap."""


class TransactionUndoneError(StoreUnavailableError):
    """PostgreSQL has rolled the transaction back because of another one: a deadlock, or a serialisation failure.

    It will most likely succeed when it is repeated from its start: `PostgresStore.in_transaction` does that.
    """

    def __init__(self) -> None:
        super().__init__("Others were changing the same at this moment. Try again in a few seconds.")


def state_of(error: BaseException) -> str:
    """The SQLSTATE of a driver's error, wrapped by SQLAlchemy or not; empty if it has none."""
    return getattr(error, "sqlstate", None) or ""


def is_gone(error: BaseException) -> bool:
    """Whether the connection cannot be used any more."""
    return state_of(error).startswith(_GONE)


def refusal_of(error: BaseException) -> StoreUnavailableError | None:
    """The error for a caller who may try again; None if the statement would fail again."""
    state = state_of(error)
    if state in _UNDONE:
        return TransactionUndoneError()
    if state in _LATE:
        return StoreUnavailableError(_LATE[state])
    return StoreUnavailableError() if state.startswith(_OUT_OF_ORDER) or isinstance(error, OSError) else None


def take_values_out(*errors: BaseException | None) -> None:
    """Remove values of rows from an error, its group, and all of its causes."""
    found = [one for error in errors for one in _chain(error)]
    for one in found:
        if isinstance(one, DRIVER_ERRORS):
            one.detail = None
    if any(_quotes_a_value(one) for one in found):
        for one in found:
            one.args = (f"{type(one).__name__}: a value that PostgreSQL does not take", *one.args[1:])


def _quotes_a_value(error: BaseException) -> bool:
    """Whether it is a data exception of the server, or an argument that the driver cannot encode."""
    is_argument = isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)
    return is_argument or state_of(error).startswith(_DATA_EXCEPTION)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
