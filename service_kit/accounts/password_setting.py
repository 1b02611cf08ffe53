"""Giving an account a password: which are good enough, and what changes with it."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.accounts.history import Happening, History, Origin
from service_kit.accounts.passwords import PasswordHasher
from service_kit.accounts.policy import AccountPolicy
from service_kit.accounts.rows import AccountRow, AccountRows
from service_kit.accounts.sessions import Sessions
from service_kit.accounts.strength import WeakPasswordError, require_strength
from service_kit.clock import utc_now
from service_kit.postgres.store import PostgresStore

TEMPORARY: Final = timedelta(hours=72)

_TEMPORARY_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Temporary:
    """A password that nobody chose, good for 72 hours and for nothing but changing it."""

    password: SecretStr
    expires_at: datetime


def new_temporary() -> Temporary:
    """A random one."""
    return Temporary(SecretStr(secrets.token_urlsafe(_TEMPORARY_BYTES)), utc_now() + TEMPORARY)


class PasswordSetting:
    """The use cases; each is one transaction, with its history.

    Args:
        store: The service's database.
        policy: The service's accounts.
        sessions: Theirs.
        hasher: Of their passwords.
        is_production: Whether the passwords of development are refused.
    """

    def __init__(
        self,
        store: PostgresStore,
        policy: AccountPolicy,
        sessions: Sessions,
        hasher: PasswordHasher,
        *,
        is_production: bool,
    ) -> None:
        self._store = store
        self._policy = policy
        self._rows = AccountRows(policy.tables.accounts)
        self._history = History(policy.tables.history)
        self._sessions = sessions
        self._hasher = hasher
        self._is_production = is_production

    async def hashed(self, password: SecretStr, *known: str, field: str = "body.password") -> str:
        """The hash of a password that is good enough.

        Args:
            password: It.
            known: What everybody knows of the account.
            field: Where it was sent.

        Raises:
            WeakPasswordError: It would be guessed soon, or, in production, stands in the documents (422).
        """
        require_strength(password, *known, field=field)
        if self.is_refused(password):
            raise WeakPasswordError(field)
        return await self._hasher.hash(password)

    def is_refused(self, password: SecretStr) -> bool:
        """Whether it opens nothing here: in production, those that stand in the documents."""
        return self._is_production and self._policy.is_published(password)

    async def store(self, session: AsyncSession, row: AccountRow, hashed: str, temporary: Temporary | None) -> None:
        """Write a hash in the running transaction."""
        await self._rows.update(session, row.id, password_hash=hashed, **columns_of(temporary))

    async def reset(self, account_id: UUID, origin: Origin) -> Temporary:
        """Give an account a random password, and end its sessions.

        Raises:
            AccountNotFoundError: No account has this id (404).
        """
        temporary = new_temporary()
        hashed = await self._hasher.hash(temporary.password)
        await self._replace(account_id, hashed, temporary, Happening.PASSWORD_RESET, origin)
        return temporary

    async def replace(self, account_id: UUID, password: SecretStr, origin: Origin) -> None:
        """Give an account a password that was chosen for it, and end its sessions.

        Raises:
            AccountNotFoundError: No account has this id (404).
            WeakPasswordError: The password would be guessed soon (422).
        """
        async with self._store.transaction() as session:
            row = await self._rows.read(session, account_id)
        hashed = await self.hashed(password, row.email, row.name)
        await self._replace(account_id, hashed, None, Happening.PASSWORD_CHANGED, origin)

    async def _replace(
        self, account_id: UUID, hashed: str, temporary: Temporary | None, happening: Happening, origin: Origin
    ) -> None:
        async def work(session: AsyncSession) -> None:
            row = await self._rows.read(session, account_id, locked=True)
            await self.store(session, row, hashed, temporary)
            await self._sessions.end_all(session, account_id, happening)
            await self._history.add(session, happening, account_id, origin)

        await self._store.in_transaction(work)


def columns_of(temporary: Temporary | None) -> dict[str, object]:
    """How a row says whether its password was made for it."""
    return {
        "must_change_password": temporary is not None,
        "password_expires_at": temporary.expires_at if temporary else None,
    }
