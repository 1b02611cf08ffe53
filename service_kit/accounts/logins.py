"""Logging in by e-mail address and password.

An address without an account, an inactive account and a wrong password look and last the same. No connection is held
while a password is hashed.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from pydantic import SecretStr
from sqlalchemy import cast, exists, or_, select, update
from sqlalchemy.dialects.postgresql import CIDR
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.accounts.errors import BadCredentialsError
from service_kit.accounts.guessing import KNOWN_DAYS, Attempt, Guesses
from service_kit.accounts.history import Happening, History, Origin
from service_kit.accounts.passwords import PasswordHasher, TooManyPasswordsError, Verification
from service_kit.accounts.rows import AccountRow, lenient_key
from service_kit.accounts.sessions import Grant, Sessions
from service_kit.accounts.tables import AccountTables
from service_kit.api.proxies import network_of
from service_kit.postgres.engine import SERVER_NOW
from service_kit.postgres.store import PostgresStore

_KNOWN: Final = timedelta(days=KNOWN_DAYS)


class Logins:
    """Checks passwords, and begins sessions.

    Args:
        store: The service's database.
        tables: Of its accounts.
        sessions: Theirs.
        hasher: Of their passwords.
        guesses: Counts what is tried.
        is_refused: Which passwords open nothing, whoever has them.
    """

    def __init__(
        self,
        store: PostgresStore,
        tables: AccountTables,
        sessions: Sessions,
        hasher: PasswordHasher,
        guesses: Guesses,
        is_refused: Callable[[SecretStr], bool],
    ) -> None:
        self._store = store
        self._accounts = tables.accounts
        self._history_rows = tables.history
        self._history = History(tables.history)
        self._sessions = sessions
        self._hasher = hasher
        self._guesses = guesses
        self._is_refused = is_refused

    async def log_in(self, email: str, password: SecretStr, origin: Origin) -> Grant:
        """Begin a session with tokens.

        Raises:
            BadCredentialsError: No active account has this address and password (401).
            TooManyAttemptsError: Too many were tried (429).
            TooManyPasswordsError: Too many wait for a thread that hashes (503).
        """
        key, network = lenient_key(email), network_of(origin.address)
        account, is_known = await self._found(key, network)
        attempt = Attempt(key, network, is_known)
        await self._guesses.count(attempt)
        verification = await self._verification(attempt, password, account)
        grant = await self._store.in_transaction(lambda session: self._begun(session, account, verification, origin))
        if grant is None:
            raise BadCredentialsError
        await self._guesses.give_back(attempt)
        return grant

    async def is_password(self, account: AccountRow, password: SecretStr, origin: Origin) -> bool:
        """Whether it is the account's, of somebody who is logged in; guesses count as those at a login do."""
        network = network_of(origin.address)
        _, is_known = await self._found(account.email_key, network)
        attempt = Attempt(account.email_key, network, is_known)
        await self._guesses.count(attempt)
        verification = await self._verification(attempt, password, account)
        if verification.is_right:
            await self._guesses.give_back(attempt)
        return verification.is_right

    async def _found(self, key: str, network: str) -> tuple[AccountRow | None, bool]:
        """The account, and whether it is known there."""
        accounts, entries = self._accounts, self._history_rows.c
        is_login = (entries.account_id == accounts.c.id) & (entries.event == Happening.LOGGED_IN)
        is_there = entries.address.op("<<=")(cast(network, CIDR)) if network else entries.address.is_(None)
        is_known = exists().where(is_login, is_there, entries.at > SERVER_NOW - _KNOWN)
        async with self._store.transaction() as session:
            found = await session.execute(
                select(accounts, is_known.label("is_known")).where(accounts.c.email_key == key)
            )
            row = found.one_or_none()
        return row, bool(row and row.is_known)

    async def _verification(self, attempt: Attempt, password: SecretStr, account: AccountRow | None) -> Verification:
        try:
            stored = account.password_hash if account and not self._is_refused(password) else None
            return await self._hasher.verify(password, stored)
        except TooManyPasswordsError:
            await self._guesses.give_back(attempt)  # nothing was learnt by it
            raise

    async def _begun(
        self, session: AsyncSession, account: AccountRow | None, verification: Verification, origin: Origin
    ) -> Grant | None:
        """None if the password is wrong, or the account is not what it was when its hash was read."""
        if account is None or not verification.is_right or not await self._is_open(session, account):
            await self._history.add(session, Happening.LOGIN_REFUSED, account.id if account else None, origin)
            return None
        if verification.new_hash:
            renewed = update(self._accounts).where(self._accounts.c.id == account.id)
            await session.execute(renewed.values(password_hash=verification.new_hash))
        grant = await self._sessions.begin(session, account.id, origin)
        await self._history.add(session, Happening.LOGGED_IN, account.id, origin, begun=str(grant.session_id))
        return grant

    async def _is_open(self, session: AsyncSession, account: AccountRow) -> bool:
        """Whether it is active and has the same password still; locked from here on."""
        rows = self._accounts.c
        is_fresh = or_(rows.password_expires_at.is_(None), rows.password_expires_at > SERVER_NOW)
        query = select(rows.id).where(rows.id == account.id, rows.password_hash == account.password_hash)
        return await session.scalar(query.where(rows.is_active, is_fresh).with_for_update()) is not None
