"""The rows of the table of accounts, as the use cases read, lock and write them."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from email_validator import EmailNotValidError
from sqlalchemy import Row, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.accounts.errors import AccountNotFoundError, EmailTakenError
from service_kit.accounts.tables import EMAIL_INDEX
from service_kit.api.etags import StaleEditError, accepts
from service_kit.fields.email import MAX_EMAIL_CHARACTERS, email_key
from service_kit.postgres.engine import SERVER_NOW, violated_constraint

AccountRow = Row[*tuple[Any, ...]]


class AccountRows:
    """The accounts of one service."""

    def __init__(self, table: Table) -> None:
        self.table = table

    async def read(self, session: AsyncSession, account_id: UUID, *, locked: bool = False) -> AccountRow:
        """Look one up.

        Raises:
            AccountNotFoundError: No account has this id (404).
        """
        query = select(self.table).where(self.table.c.id == account_id)
        row = (await session.execute(query.with_for_update() if locked else query)).one_or_none()
        if row is None:
            raise AccountNotFoundError(account_id)
        return row

    async def editable(self, session: AsyncSession, account_id: UUID, accepted: Collection[int] | None) -> AccountRow:
        """Lock one, of a version that the editor knows.

        Raises:
            AccountNotFoundError: No account has this id (404).
            StaleEditError: Its version is not one of `accepted` (412).
        """
        row = await self.read(session, account_id, locked=True)
        if not accepts(accepted, row.version):
            raise StaleEditError
        return row

    async def active_but(self, session: AsyncSession, account_id: UUID, role: str) -> int:
        """How many other active accounts have a role.

        All that have it are locked, in the order of ids: so two who demote each other at one moment come one after the
        other, and the second sees what the first did. To be called before any of them is locked alone.
        """
        rows = self.table.c
        query = select(rows.id).where(rows.role == role, rows.is_active).order_by(rows.id).with_for_update()
        return len(set(await session.scalars(query)) - {account_id})

    async def of_subject(self, session: AsyncSession, subject_id: UUID) -> list[AccountRow]:
        """Lock the active ones of a subject."""
        rows = self.table.c
        query = select(self.table).where(rows.subject_id == subject_id, rows.is_active)
        return list((await session.execute(query.order_by(rows.id).with_for_update())).all())

    async def insert(self, session: AsyncSession, **values: object) -> AccountRow:
        """Add one.

        Raises:
            EmailTakenError: Another account has the address (409).
        """
        return await self._written(session, insert(self.table).values(_with_key(values)).returning(self.table))

    async def update(self, session: AsyncSession, account_id: UUID, **values: object) -> AccountRow:
        """Change one, to a new version.

        Raises:
            EmailTakenError: Another account has the address (409).
        """
        rows = self.table.c
        change = update(self.table).where(rows.id == account_id).values(_with_key(values))
        change = change.values(version=rows.version + 1, updated_at=SERVER_NOW)
        return await self._written(session, change.returning(self.table))

    async def delete(self, session: AsyncSession, account_id: UUID) -> None:
        """Remove one, with its sessions."""
        await session.execute(delete(self.table).where(self.table.c.id == account_id))

    async def _written(self, session: AsyncSession, statement: Any) -> AccountRow:  # noqa: ANN401 - an insert or an update
        try:
            row: AccountRow = (await session.execute(statement)).one()
        except IntegrityError as error:
            if violated_constraint(error) == EMAIL_INDEX:
                raise EmailTakenError from error
            raise
        return row


def _with_key(values: Mapping[str, object]) -> dict[str, object]:
    return {**values, "email_key": email_key(str(values["email"]))} if "email" in values else dict(values)


def lenient_key(email: str) -> str:
    """The key of an address; what is none has a key that no account has."""
    shortened = email[: MAX_EMAIL_CHARACTERS + 1]
    try:
        return email_key(shortened)
    except EmailNotValidError:
        return shortened.replace("\0", "").encode(errors="replace").decode()
