"""Managing the accounts of a service: what its administrators and its commands do."""

from collections.abc import Collection, Mapping
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.accounts.errors import LastAdministratorError
from service_kit.accounts.history import Happening, History, Origin
from service_kit.accounts.models import AccountChanges, NewAccount
from service_kit.accounts.password_setting import PasswordSetting, Temporary, columns_of, new_temporary
from service_kit.accounts.passwords import PasswordHasher
from service_kit.accounts.policy import AccountPolicy
from service_kit.accounts.rows import AccountRow, AccountRows
from service_kit.accounts.sessions import Sessions
from service_kit.clock import utc_now
from service_kit.fields.uuid7 import new_uuid7
from service_kit.postgres.store import PostgresStore
from service_kit.problems import InvalidRequestError

_TOLD: Final = ("email", "name", "role", "subject_id", "is_active")


class AccountManagement:
    """The use cases; each is one transaction, with its history."""

    def __init__(
        self,
        store: PostgresStore,
        policy: AccountPolicy,
        sessions: Sessions,
        hasher: PasswordHasher,
        passwords: PasswordSetting,
    ) -> None:
        self._store = store
        self._policy = policy
        self._rows = AccountRows(policy.tables.accounts)
        self._history = History(policy.tables.history)
        self._sessions = sessions
        self._hasher = hasher
        self._passwords = passwords

    async def create(self, new: NewAccount, origin: Origin) -> tuple[AccountRow, Temporary | None]:
        """Make an account; with a random password that has to be changed, if none is given.

        Raises:
            EmailTakenError: Another account has the address (409).
            WeakPasswordError: The password would be guessed soon (422).
            InvalidRequestError: There is no such role or subject (422).
        """
        if new.password is None:
            temporary = new_temporary()
            hashed = await self._hasher.hash(temporary.password)
        else:
            temporary = None
            hashed = await self._passwords.hashed(new.password, new.email, new.name)

        async def work(session: AsyncSession) -> AccountRow:
            await self._require_role(session, new.role, new.subject_id)
            now = utc_now()
            row = await self._rows.insert(
                session,
                **new.model_dump(exclude={"password"}),
                **columns_of(temporary),
                id=new_uuid7(now),
                password_hash=hashed,
                created_at=now,
                updated_at=now,
            )
            await self._history.add(session, Happening.CREATED, row.id, origin, **_told(row))
            return row

        return await self._store.in_transaction(work), temporary

    async def change(
        self, account_id: UUID, changes: AccountChanges, *, accepted: Collection[int] | None, origin: Origin
    ) -> AccountRow:
        """Change an account. What it may and whether it is active counts from its next request on.

        Raises:
            AccountNotFoundError: No account has this id (404).
            EmailTakenError: Another account has the address (409).
            LastAdministratorError: Nobody would be left who manages accounts (409).
            StaleEditError: Its version is not one of `accepted` (412).
            InvalidRequestError: There is no such role or subject (422).
        """

        async def work(session: AsyncSession) -> AccountRow:
            others = await self._rows.active_but(session, account_id, self._policy.administrator)
            row = await self._rows.editable(session, account_id, accepted)
            values = {name: value for name, value in changes.items() if getattr(row, name) != value}
            if not values:
                return row
            after = {**_told(row), **values}
            await self._require_role(session, after["role"], cast("UUID | None", after["subject_id"]))
            if not (after["is_active"] and after["role"] == self._policy.administrator):
                self._require_others(row, others)
            return await self._changed(session, row, values, origin)

        return await self._store.in_transaction(work)

    async def delete(self, account_id: UUID, *, accepted: Collection[int] | None, origin: Origin) -> None:
        """Remove an account and its sessions; the history stays.

        Raises:
            AccountNotFoundError: No account has this id (404).
            LastAdministratorError: Nobody would be left who manages accounts (409).
            StaleEditError: Its version is not one of `accepted` (412).
        """

        async def work(session: AsyncSession) -> None:
            others = await self._rows.active_but(session, account_id, self._policy.administrator)
            row = await self._rows.editable(session, account_id, accepted)
            self._require_others(row, others)
            await self._rows.delete(session, account_id)
            await self._history.add(session, Happening.DELETED, account_id, origin)

        await self._store.in_transaction(work)

    async def close_of(self, session: AsyncSession, subject_id: UUID, origin: Origin) -> None:
        """Deactivate the accounts of a subject that goes, in the caller's transaction."""
        for row in await self._rows.of_subject(session, subject_id):
            await self._changed(session, row, {"is_active": False}, origin)

    def _require_others(self, row: AccountRow, others: int) -> None:
        if row.is_active and row.role == self._policy.administrator and not others:
            raise LastAdministratorError

    async def _require_role(self, session: AsyncSession, role: object, subject_id: UUID | None) -> None:
        permissions = self._policy.permissions
        if role not in permissions.roles:
            raise _invalid("role", f"Write one of the roles {', '.join(permissions.roles)}")
        if (role in permissions.confined_roles) != (subject_id is not None):
            raise _invalid("subject_id", "A subject is for a role that sees its own alone, and such a role needs one")
        if subject_id is not None and not await self._policy.subject_exists(session, subject_id):
            raise _invalid("subject_id", "There is none with this id")

    async def _changed(
        self, session: AsyncSession, row: AccountRow, values: Mapping[str, object], origin: Origin
    ) -> AccountRow:
        changed = await self._rows.update(session, row.id, **values)
        if not changed.is_active:
            await self._sessions.end_all(session, row.id, "account-closed")
        before, after = ({name: _told(one)[name] for name in values} for one in (row, changed))
        await self._history.add(session, Happening.CHANGED, row.id, origin, before=before, after=after)
        return changed


def _told(row: AccountRow) -> dict[str, Any]:
    """What the history has of an account."""
    return {name: getattr(row, name) for name in _TOLD}


def _invalid(field: str, message: str) -> InvalidRequestError:
    mistake = {"field": f"body.{field}", "message": message, "code": "value_error"}
    return InvalidRequestError(f"body.{field}: {message}.", errors=[mistake])
