"""The accounts of loans_service."""

from typing import Final
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from loans_service.models.tables import ACCOUNTS, CLIENTS
from loans_service.permissions import ADMINISTRATOR, OFFICER, PERMISSIONS
from service_kit.accounts.policy import AccountPolicy, DevelopmentAccount


async def _client_exists(session: AsyncSession, subject_id: UUID) -> bool:
    return bool(await session.scalar(select(exists().where(CLIENTS.c.id == subject_id))))


POLICY: Final = AccountPolicy(
    ACCOUNTS,
    PERMISSIONS,
    administrator=ADMINISTRATOR,
    subject_exists=_client_exists,
    development=[
        DevelopmentAccount("admin@loans.example", "Loans-admin-1", "Admin", ADMINISTRATOR),
        DevelopmentAccount("officer@loans.example", "Loans-officer-1", "Officer", OFFICER),
    ],
)
