"""Refreshing: a refresh token is good once, and whoever comes with an older one has stolen it, or was stolen from.

The generation that is current goes to the next under the lock of its session. The one before it gets the *same*
successor for ten seconds: two tabs, or an answer that was lost.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.accounts.errors import RefreshInvalidError, RefreshReusedError
from service_kit.accounts.history import Happening, History, Origin
from service_kit.accounts.refresh_tokens import RefreshToken, RefreshTokens, refresh_token_in
from service_kit.accounts.sessions import CLOCK, TOKEN_KIND, TOKEN_LIFETIME, Grant, Sessions
from service_kit.accounts.tables import AccountTables
from service_kit.postgres.store import PostgresStore
from service_kit.problems import ServiceError

log = structlog.get_logger()

SAME_SUCCESSOR: Final = timedelta(seconds=10)


class Rotation:
    """Exchanges refresh tokens."""

    def __init__(self, store: PostgresStore, tables: AccountTables, sessions: Sessions, tokens: RefreshTokens) -> None:
        self._store = store
        self._sessions = sessions
        self._tokens = tokens
        self._history = History(tables.history)
        self._accounts = tables.accounts

    async def refresh(self, sent: str, origin: Origin) -> Grant:
        """The successor of a token.

        Raises:
            RefreshInvalidError: It is not ours, or its session is over (401). Nothing changes: to know the id of a
                session must not be enough to end it.
            RefreshReusedError: It has a successor that is older than ten seconds; its session has ended (401).
        """
        token = refresh_token_in(sent)
        if token is None:
            raise RefreshInvalidError
        # The end of a stolen session has to be committed, so a refusal leaves the transaction as a value.
        outcome = await self._store.in_transaction(lambda session: self._outcome(session, token, origin))
        if isinstance(outcome, ServiceError):
            raise outcome
        return outcome

    async def _outcome(self, session: AsyncSession, token: RefreshToken, origin: Origin) -> Grant | ServiceError:
        rows = self._sessions.table.c
        of_token = (rows.id == token.session_id) & (rows.kind == TOKEN_KIND)
        salt = await session.scalar(select(rows.salt).where(of_token))  # a stranger's token locks nothing
        if salt is None or not self._tokens.is_ours(token, salt):
            return RefreshInvalidError()
        row = await self._locked(session, token)
        if row is None or token.generation > row.generation:
            return RefreshInvalidError()
        now = await session.scalar(select(CLOCK))
        assert now is not None
        if token.generation == row.generation:
            await self._rotate(session, row, now)
            return self._grant(row, token.generation + 1)
        if token.generation == row.generation - 1 and now - row.rotated_at <= SAME_SUCCESSOR:
            return self._grant(row, row.generation)
        return await self._theft(session, row, origin)

    async def _locked(self, session: AsyncSession, token: RefreshToken) -> Row[*tuple[Any, ...]] | None:
        """The session, if it lives, and its account is active."""
        table, accounts = self._sessions.table, self._accounts
        of_active = accounts.c.id == table.c.account_id
        query = select(table).join(accounts, of_active & accounts.c.is_active)
        query = query.where(table.c.id == token.session_id, self._sessions.is_living).with_for_update(of=table)
        return (await session.execute(query)).one_or_none()

    async def _rotate(self, session: AsyncSession, row: Row[*tuple[Any, ...]], now: datetime) -> None:
        table = self._sessions.table
        minute = now.replace(second=0, microsecond=0)
        await session.execute(
            update(table)
            .where(table.c.id == row.id)
            .values(
                generation=row.generation + 1,
                rotated_at=now,
                last_used_at=minute,
                idle_ends_at=now + TOKEN_LIFETIME.idle,
            )
        )

    def _grant(self, row: Row[*tuple[Any, ...]], generation: int) -> Grant:
        return Grant(row.account_id, row.id, self._tokens.make(row.id, generation, row.salt))

    async def _theft(self, session: AsyncSession, row: Row[*tuple[Any, ...]], origin: Origin) -> RefreshReusedError:
        log.warning("refresh_token_reused", session_id=str(row.id), account_id=str(row.account_id))
        await self._sessions.end(session, row.id, "refresh-reused", account_id=row.account_id)
        await self._history.add(session, Happening.REFRESH_REUSED, row.account_id, origin, ended=str(row.id))
        return RefreshReusedError()
