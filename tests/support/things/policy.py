"""Heads manage accounts, hands work, guests see their own things."""

from typing import Final
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.accounts.caller import Permissions, allow
from service_kit.accounts.policy import AccountPolicy, DevelopmentAccount
from service_kit.accounts.rules import account_rules
from tests.support.things.tables import ACCOUNTS, THINGS

ROLES: Final = ("head", "hand", "guest")
PERMISSIONS: Final = Permissions(
    ROLES,
    {
        **account_rules("head", ROLES),
        "GET /things": allow("head", "hand", own=["guest"]),
        "GET /things/{thing_id}": allow("head", "hand", own=["guest"]),
        "POST /things": allow("head", "hand"),
        "GET /now": allow(*ROLES),
    },
)


async def _owner_exists(session: AsyncSession, subject_id: UUID) -> bool:
    return bool(await session.scalar(select(exists().where(THINGS.c.owner_id == subject_id))))


POLICY: Final = AccountPolicy(
    ACCOUNTS,
    PERMISSIONS,
    administrator="head",
    subject_exists=_owner_exists,
    development=[
        DevelopmentAccount("head@things.example", "Things-head-1", "Head", "head"),
        DevelopmentAccount("hand@things.example", "Things-hand-1", "Hand", "hand"),
    ],
)
