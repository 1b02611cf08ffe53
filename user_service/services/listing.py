"""Lists users, the newest first, in keyset pages."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from service_kit.fields.email import MAX_EMAIL_CHARACTERS, email_key_prefix
from service_kit.mongo.client import MongoStore
from service_kit.mongo.pagination import DocumentPageQuery, id_in, newest_page
from service_kit.pagination import Page
from user_service.models.user import User, UserView

_LAST_CHARACTER: Final = "\U0010ffff"
"""Sorts after every character that an address can hold."""


class UserQuery(DocumentPageQuery):
    """Which users to list."""

    email_prefix: Annotated[
        str | None,
        Field(min_length=1, max_length=MAX_EMAIL_CHARACTERS, description="How the e-mail begins, in any case."),
    ] = None


async def list_users(store: MongoStore, query: UserQuery) -> Page[UserView]:
    """One page.

    Raises:
        BadCursorError: The cursor is not one that this list has answered (400).
        StoreUnavailableError: MongoDB does not answer (503).
    """
    store.require_prepared()
    return await newest_page(User, conditions_of(query), query.limit, UserView.of)


def conditions_of(query: UserQuery) -> list[Mapping[str, Any]]:
    """The conditions of a query, all of which must hold.

    Raises:
        BadCursorError: The cursor is not one that this list has answered (400).
    """
    conditions: list[Mapping[str, Any]] = []
    if query.cursor is not None:
        conditions.append({"_id": {"$lt": id_in(query.cursor)}})
    if query.email_prefix is not None:
        first = email_key_prefix(query.email_prefix)
        # A range reads the same part of the index as an anchored pattern, and has nothing to escape.
        conditions.append({"email_key": {"$gte": first, "$lt": first + _LAST_CHARACTER}})
    return conditions
