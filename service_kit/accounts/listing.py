"""Listing accounts, the newest first, in keyset pages."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, select

from service_kit.accounts.models import ACCOUNT_CURSOR, AccountQuery, AccountView
from service_kit.accounts.rows import AccountRow, AccountRows, lenient_key
from service_kit.pagination import Page, encode_cursor
from service_kit.postgres.store import PostgresStore


class Listing:
    """Reads accounts."""

    def __init__(self, store: PostgresStore, table: Table) -> None:
        self._store = store
        self._table = table
        self._rows = AccountRows(table)

    async def read(self, account_id: UUID) -> AccountRow:
        """Look one up.

        Raises:
            AccountNotFoundError: No account has this id (404).
        """
        async with self._store.transaction() as session:
            return await self._rows.read(session, account_id)

    async def page(self, query: AccountQuery) -> Page[AccountView]:
        """One page.

        Raises:
            BadCursorError: The cursor is not one that this list has answered (400).
        """
        rows = select(self._table).where(*self._conditions(query)).order_by(self._table.c.id.desc())
        async with self._store.transaction() as session:
            found = (await session.execute(rows.limit(query.limit + 1))).all()
        shown = found[: query.limit]
        cursor = encode_cursor(str(shown[-1].id)) if len(found) > len(shown) else None
        return Page(items=[AccountView.model_validate(row) for row in shown], next_cursor=cursor)

    def _conditions(self, query: AccountQuery) -> list[ColumnElement[bool]]:
        columns = self._table.c
        equal: dict[str, Any] = query.model_dump(include={"role", "subject_id", "is_active"}, exclude_none=True)
        conditions: list[ColumnElement[bool]] = [columns[name] == value for name, value in equal.items()]
        if query.email is not None:
            conditions.append(columns.email_key == lenient_key(query.email))
        if query.cursor is not None:
            conditions.append(columns.id < UUID(ACCOUNT_CURSOR.key_in(query.cursor)))
        return conditions
