"""Checks that MongoDB demands an account. An address with an account does not prove it: a server may ignore it.

Only a connection without an account shows it.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from service_kit.settings.addresses import without_account
from service_kit.settings.stores import MongoSettings

_UNAUTHORIZED: Final = 13
_ANSWER_MS: Final = 5_000

Guard = Callable[[], Awaitable[None]]


class OpenStoreError(Exception):
    """The database can be read and written without an account."""

    def __init__(self) -> None:
        super().__init__(
            "MongoDB lets in whoever comes without an account: start it with --auth, or set ALLOW_OPEN_STORES=true "
            "if that is meant"
        )


def guard_of(settings: MongoSettings) -> Guard:
    """The check that a store makes before it is prepared; none in development, or where open stores are allowed."""

    async def ask() -> None:
        if settings.must_keep_strangers_out:
            await _require_refusal(without_account(settings.mongodb_uri).get_secret_value())

    return ask


async def _require_refusal(address: str) -> None:
    """Connect without an account.

    Raises:
        OpenStoreError: The server has answered without one.
        PyMongoError: It is away.
    """
    async with AsyncMongoClient[dict[str, Any]](
        address, serverSelectionTimeoutMS=_ANSWER_MS, socketTimeoutMS=_ANSWER_MS
    ) as stranger:
        try:
            await stranger.admin.command("listDatabases", nameOnly=True)
        except OperationFailure as error:
            if error.code == _UNAUTHORIZED:
                return
            raise
    raise OpenStoreError
