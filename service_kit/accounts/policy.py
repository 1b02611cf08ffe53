"""What a service says of its accounts: everything in which one service differs from another."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.accounts.caller import Permissions
from service_kit.accounts.tables import AccountTables


@dataclass(frozen=True, slots=True)
class DevelopmentAccount:
    """An account that a start in development makes, with a password that everybody can read in the documents."""

    email: str
    password: str
    name: str
    role: str


async def _no_subjects(_session: AsyncSession, _subject_id: UUID) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class AccountPolicy:
    """The accounts of one service.

    Attributes:
        tables: Made by `account_tables`.
        permissions: The service's table of who may do what.
        administrator: The role that manages accounts; one active account of it is always left.
        subject_exists: Whether an account may be given this subject.
        development: Accounts of a start in development. Production refuses their passwords, whoever has them.
    """

    tables: AccountTables
    permissions: Permissions
    administrator: str
    subject_exists: Callable[[AsyncSession, UUID], Awaitable[bool]] = _no_subjects
    development: Sequence[DevelopmentAccount] = ()

    def is_published(self, password: SecretStr) -> bool:
        """Whether a password stands in the documents."""
        return any(password.get_secret_value() == account.password for account in self.development)
