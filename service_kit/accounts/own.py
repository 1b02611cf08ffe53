"""What everybody may do with the account of one's own."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.accounts.caller import Caller
from service_kit.accounts.errors import SessionNotFoundError, WrongPasswordError
from service_kit.accounts.history import Happening, History, Origin
from service_kit.accounts.logins import Logins
from service_kit.accounts.password_setting import PasswordSetting
from service_kit.accounts.rows import AccountRow, AccountRows
from service_kit.accounts.sessions import Sessions
from service_kit.accounts.tables import AccountTables
from service_kit.clock import utc_now
from service_kit.postgres.store import PostgresStore


class OwnAccount:
    """The use cases; each is one transaction, with its history."""

    def __init__(
        self,
        store: PostgresStore,
        tables: AccountTables,
        sessions: Sessions,
        logins: Logins,
        passwords: PasswordSetting,
    ) -> None:
        self._store = store
        self._rows = AccountRows(tables.accounts)
        self._history = History(tables.history)
        self._sessions = sessions
        self._logins = logins
        self._passwords = passwords

    async def log_out(self, caller: Caller, origin: Origin, *, everywhere: bool) -> None:
        """End the session that calls, and with it both of its tokens at once; or all of the account."""

        async def work(session: AsyncSession) -> None:
            if everywhere:
                await self._sessions.end_all(session, caller.account_id, Happening.LOGGED_OUT)
            else:
                await self._sessions.end(session, caller.session_id, Happening.LOGGED_OUT, account_id=caller.account_id)
            await self._history.add(session, Happening.LOGGED_OUT, caller.account_id, origin, everywhere=everywhere)

        await self._store.in_transaction(work)

    async def read(self, caller: Caller) -> AccountRow:
        """The account that calls."""
        async with self._store.transaction() as session:
            return await self._rows.read(session, caller.account_id)

    async def sessions(self, caller: Caller) -> Sequence[Row[*tuple[Any, ...]]]:
        """The living ones, the newest first."""
        async with self._store.transaction() as session:
            return await self._sessions.living(session, caller.account_id)

    async def end_session(self, caller: Caller, session_id: UUID, origin: Origin) -> None:
        """End one.

        Raises:
            SessionNotFoundError: The caller has no such living session (404).
        """
        happening = Happening.SESSION_ENDED

        async def work(session: AsyncSession) -> None:
            if not await self._sessions.end(session, session_id, happening, account_id=caller.account_id):
                raise SessionNotFoundError(session_id)
            await self._history.add(session, happening, caller.account_id, origin, ended=str(session_id))

        await self._store.in_transaction(work)

    async def change_password(self, caller: Caller, old: SecretStr, new: SecretStr, origin: Origin) -> None:
        """Change the password, and end all sessions but the one that calls.

        Raises:
            WrongPasswordError: The old one is not the account's, or has expired (401).
            TooManyAttemptsError: Too many were tried (429).
            WeakPasswordError: The new one would be guessed soon (422).
        """
        row = await self.read(caller)
        if not await self._logins.is_password(row, old, origin):
            raise WrongPasswordError
        hashed = await self._passwords.hashed(new, row.email, row.name, field="body.new_password")

        async def work(session: AsyncSession) -> None:
            locked = await self._rows.read(session, caller.account_id, locked=True)
            if locked.password_hash != row.password_hash or _is_over(locked):
                raise WrongPasswordError
            await self._passwords.store(session, locked, hashed, None)
            await self._sessions.end_all(session, caller.account_id, Happening.PASSWORD_CHANGED, but=caller.session_id)
            await self._history.add(session, Happening.PASSWORD_CHANGED, caller.account_id, origin)

        await self._store.in_transaction(work)


def _is_over(row: AccountRow) -> bool:
    return row.password_expires_at is not None and row.password_expires_at <= utc_now()
