"""The accounts that a start makes while there is none: an administrator by variables, and those of development."""

import sys
from collections.abc import Iterator
from http import HTTPStatus

import structlog
from pydantic import SecretStr
from sqlalchemy import func, select

from service_kit.accounts.history import Origin
from service_kit.accounts.management import AccountManagement
from service_kit.accounts.models import NewAccount
from service_kit.accounts.policy import AccountPolicy
from service_kit.accounts.settings import AccountsSettings
from service_kit.postgres.store import PostgresStore
from service_kit.problems import ServiceError

log = structlog.get_logger()

_LOCK = 7_365_727_670


class FirstAccountsMissingError(ServiceError):
    """The accounts that a start makes are not there yet."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "first-accounts-missing"

    def __init__(self) -> None:
        super().__init__("The first accounts are being made. If it lasts, the log says why.")


class FirstAccounts:
    """Makes them, once, whatever number of replicas starts."""

    def __init__(
        self, store: PostgresStore, policy: AccountPolicy, management: AccountManagement, settings: AccountsSettings
    ) -> None:
        self._store = store
        self._policy = policy
        self._management = management
        self._settings = settings

    async def make(self) -> None:
        """Make what is missing.

        Raises:
            StoreUnavailableError: The database is not prepared, or away (503).
        """
        async with self._store.transaction() as session:
            await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            if await session.scalar(select(self._policy.tables.accounts.c.id).limit(1)):
                return
            for new in self._wanted():
                row, _ = await self._management.create(new, Origin())
                log.info("first_account_made", account_id=str(row.id), role=row.role)

    def _wanted(self) -> Iterator[NewAccount]:
        settings = self._settings
        if settings.first_admin_email:
            yield NewAccount(
                email=settings.first_admin_email,
                name="Administrator",
                role=self._policy.administrator,
                password=settings.first_admin_password,
            )
        for account in self._policy.development if settings.environment == "development" else ():
            if account.email != settings.first_admin_email:
                yield NewAccount(
                    email=account.email,
                    name=account.name,
                    role=account.role,
                    password=SecretStr(account.password),
                )


def require_unpublished(policy: AccountPolicy, settings: AccountsSettings) -> None:
    """Do not start in production with a password that everybody can read.

    Raises:
        SystemExit: With status 2, as for any wrong setting.
    """
    if settings.environment == "production" and policy.is_published(settings.first_admin_password):
        print("Cannot start: FIRST_ADMIN_PASSWORD: it stands in the documents, choose another one.", file=sys.stderr)
        raise SystemExit(2)
