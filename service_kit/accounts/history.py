"""What has happened to accounts: written with the change itself, in its transaction, and never changed."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncSession

AGENT_CHARACTERS: Final = 200


class Happening(StrEnum):
    """The kinds of entries."""

    CREATED = "account-created"
    CHANGED = "account-changed"
    DELETED = "account-deleted"
    LOGGED_IN = "logged-in"
    LOGIN_REFUSED = "login-refused"
    LOGGED_OUT = "logged-out"
    SESSION_ENDED = "session-ended"
    REFRESH_REUSED = "refresh-reused"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - the name of an event
    PASSWORD_RESET = "password-reset"  # noqa: S105 - the same


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from; nothing of it is known of a command.

    Attributes:
        address: The caller's.
        agent: What its program calls itself.
        request_id: As in the logs.
        actor_id: The account that calls.
        session_id: Its session.
    """

    address: str | None = None
    agent: str = ""
    request_id: str = ""
    actor_id: UUID | None = None
    session_id: UUID | None = None


class History:
    """Writes entries of one service."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def add(
        self, session: AsyncSession, happening: Happening, account_id: UUID | None, origin: Origin, **details: object
    ) -> None:
        """Add an entry to the running transaction. No password, token or hash may be among the details."""
        entry = insert(self._table).inline()
        await session.execute(
            entry.values(
                event=happening,
                account_id=account_id,
                actor_id=origin.actor_id,
                session_id=origin.session_id,
                address=origin.address,
                agent=origin.agent[:AGENT_CHARACTERS],
                request_id=origin.request_id,
                details=details,
            )
        )
