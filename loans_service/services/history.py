"""Histories: who changed what, when and why; each entry holds a hash over the one before it of the same subject.

The values have a hash of their own, which is the part of them that the chain holds: so those of a deleted client can
go, and the chain is whole all the same.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Table, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from loans_service.services.context import RequestContext

Changes = Mapping[str, list[Any]]
"""By field: before and after."""

_BEFORE_THE_FIRST: Final = bytes(32)
_NOT_CHANGES: Final = frozenset({"days_past_due", "updated_at", "updated_by"})
_CHAINED: Final = ("subject_id", "number", "at", "account_id", "by", "command", "reason", "request_id")


def changes_between(before: BaseModel | None, after: BaseModel | None) -> dict[str, list[Any]]:
    """What differs between two answers of the API; None is what there was before the first, and is after the last."""
    old, new = (view.model_dump(mode="json") if view else {} for view in (before, after))
    return {
        name: [old.get(name), new.get(name)]
        for name in {**old, **new}
        if name not in _NOT_CHANGES and old.get(name) != new.get(name)
    }


def hash_of_changes(changes: Changes) -> bytes:
    """The same for the same values, however PostgreSQL has stored them."""
    return sha256(_canonical(changes)).digest()


def hash_of_entry(entry: Mapping[str, Any], before: bytes | None) -> bytes:
    """The link of the chain.

    Args:
        entry: The columns of an entry, its `changes_hash` among them.
        before: The hash of the entry before it; None for the first.
    """
    own = [entry["at"].isoformat() if name == "at" else _text(entry[name]) for name in _CHAINED]
    return sha256((before or _BEFORE_THE_FIRST) + _canonical(own) + entry["changes_hash"]).digest()


async def append(  # noqa: PLR0913 - an entry's columns, by keyword
    session: AsyncSession,
    table: Table,
    context: RequestContext,
    *,
    subject_id: UUID,
    number: int,
    command: str,
    changes: Changes,
    reason: str | None = None,
) -> None:
    """Add the entry of a change, in its transaction and under the lock of the subject.

    Args:
        session: In the transaction.
        table: `CLIENT_HISTORY` or `LOAN_HISTORY`.
        context: Who does it, and when.
        subject_id: The client or the loan.
        number: The version that the change has made.
        command: What was done.
        changes: Before and after.
        reason: Why, where a command needs one.
    """
    entry = {
        "subject_id": subject_id,
        "number": number,
        "at": context.now,
        "account_id": context.caller.account_id,
        "by": context.caller.email,
        "command": command,
        "reason": reason,
        "request_id": context.request_id,
        "changes": changes,
        "changes_hash": hash_of_changes(changes),
    }
    before = await _hash_before(session, table, subject_id, number) if number > 1 else None
    await session.execute(insert(table).values({**entry, "hash": hash_of_entry(entry, before)}))


async def forget_values(session: AsyncSession, table: Table, subject_id: UUID) -> None:
    """Take the values out of a subject's entries; the trigger lets it, once the client is deleted."""
    await session.execute(update(table).where(table.c.subject_id == subject_id).values(changes=None))


async def exists_for(session: AsyncSession, table: Table, subject_id: UUID) -> bool:
    """Whether there ever was this subject."""
    return bool(await session.scalar(select(select(table.c.number).where(table.c.subject_id == subject_id).exists())))


async def _hash_before(session: AsyncSession, table: Table, subject_id: UUID, number: int) -> bytes | None:
    query = select(table.c.hash).where(table.c.subject_id == subject_id, table.c.number == number - 1)
    found: bytes | None = await session.scalar(query)
    return found


def _text(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
