"""Sessions: what a login begins, and what a logout, an administrator, time or a theft ends."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TIMESTAMP, ColumnElement, Row, Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.accounts.history import AGENT_CHARACTERS, Origin
from service_kit.accounts.refresh_tokens import RefreshTokens
from service_kit.clock import utc_now
from service_kit.fields.uuid7 import new_uuid7
from service_kit.postgres.engine import SERVER_NOW

TOKEN_KIND: Final = "token"  # noqa: S105 - a kind of session
MAX_LIVING: Final = 20
"""Of one account; the oldest ends when one more begins."""

_SALT_BYTES: Final = 16
CLOCK: Final[ColumnElement[datetime]] = func.clock_timestamp(type_=TIMESTAMP(timezone=True))
"""Unlike `SERVER_NOW` it goes on while a transaction waits for a lock."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long sessions of a kind live.

    Attributes:
        idle: Since they were used last.
        absolute: However much they are used.
    """

    idle: timedelta
    absolute: timedelta


TOKEN_LIFETIME: Final = Lifetime(timedelta(days=14), timedelta(days=60))


@dataclass(frozen=True, slots=True)
class Grant:
    """What a login or a refresh gives."""

    account_id: UUID
    session_id: UUID
    refresh_token: str


class Sessions:
    """The sessions of one service.

    Args:
        table: Theirs.
        refresh_tokens: Made for those of the kind token.
    """

    def __init__(self, table: Table, refresh_tokens: RefreshTokens) -> None:
        self.table = table
        self._refresh_tokens = refresh_tokens
        rows = table.c
        self.is_living = rows.ended_at.is_(None) & (func.least(rows.idle_ends_at, rows.ends_at) > SERVER_NOW)

    async def begin(self, session: AsyncSession, account_id: UUID, origin: Origin) -> Grant:
        """Begin one with tokens. The caller holds the lock of the account, so that no more than 20 of it live."""
        await self._make_room(session, account_id)
        session_id, salt = new_uuid7(utc_now()), secrets.token_bytes(_SALT_BYTES)
        begun = insert(self.table).values(
            id=session_id,
            account_id=account_id,
            kind=TOKEN_KIND,
            salt=salt,
            last_used_at=func.date_trunc("minute", SERVER_NOW),
            idle_ends_at=SERVER_NOW + TOKEN_LIFETIME.idle,
            ends_at=SERVER_NOW + TOKEN_LIFETIME.absolute,
            address=origin.address,
            agent=origin.agent[:AGENT_CHARACTERS],
        )
        await session.execute(begun)
        return Grant(account_id, session_id, self._refresh_tokens.make(session_id, 1, salt))

    async def _make_room(self, session: AsyncSession, account_id: UUID) -> None:
        rows = self.table.c
        newest_first = select(rows.id).where(rows.account_id == account_id, self.is_living)
        too_many = newest_first.order_by(rows.created_at.desc(), rows.id.desc()).offset(MAX_LIVING - 1)
        await self._end(session, rows.id.in_(too_many), "too-many")

    async def living(self, session: AsyncSession, account_id: UUID) -> Sequence[Row[*tuple[Any, ...]]]:
        """Those of an account, the newest first."""
        rows = self.table.c
        query = select(self.table).where(rows.account_id == account_id, self.is_living)
        return (await session.execute(query.order_by(rows.created_at.desc(), rows.id.desc()))).all()

    async def end(self, session: AsyncSession, session_id: UUID, reason: str, *, account_id: UUID) -> bool:
        """End one of an account; whether it lived."""
        rows = self.table.c
        ended = await self._end(session, (rows.id == session_id) & (rows.account_id == account_id), reason)
        return ended > 0

    async def end_all(self, session: AsyncSession, account_id: UUID, reason: str, *, but: UUID | None = None) -> None:
        """End those of an account, but perhaps one."""
        rows = self.table.c
        others = rows.id != but if but else rows.id.is_not(None)
        await self._end(session, (rows.account_id == account_id) & others, reason)

    async def _end(self, session: AsyncSession, which: ColumnElement[bool], reason: str) -> int:
        end = update(self.table).where(which, self.is_living).values(ended_at=SERVER_NOW, end_reason=reason)
        return (await session.execute(end)).rowcount  # type: ignore[attr-defined, no-any-return]  # of a CursorResult
