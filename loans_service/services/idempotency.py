"""`Idempotency-Key`: a payment that is sent again is answered again, and not booked again.

The key is stored with its answer in the transaction of the payment. Who comes with the same key at the same moment
waits at its row until that transaction has ended.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import and_, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from loans_service.models.tables import IDEMPOTENCY_KEYS
from loans_service.services.context import RequestContext
from loans_service.services.errors import IdempotencyKeyReusedError

_KEPT: Final = timedelta(days=90)
_SWEPT: Final = 20
"""So many old keys does each new one take away: so they never pile up."""

_KEYS: Final = IDEMPOTENCY_KEYS.c


async def claim(session: AsyncSession, context: RequestContext, key: str, fingerprint: bytes) -> bytes | None:
    """Take a key for this request.

    Returns:
        What the first request with this key was answered; None if this is the first.

    Raises:
        IdempotencyKeyReusedError: The first one was another request (422).
    """
    own = {"account_id": context.caller.account_id, "key": key}
    new = {**own, "fingerprint": fingerprint, "created_at": context.now}
    claimed = insert(IDEMPOTENCY_KEYS).values(new).on_conflict_do_nothing().returning(_KEYS.key)
    if (await session.execute(claimed)).one_or_none() is not None:
        await _sweep(session, context)
        return None
    mine = and_(_KEYS.account_id == context.caller.account_id, _KEYS.key == key)
    first = (await session.execute(select(IDEMPOTENCY_KEYS).where(mine).with_for_update())).one()
    if first.created_at <= context.now - _KEPT:
        await session.execute(update(IDEMPOTENCY_KEYS).where(mine).values({**new, "answer": None}))
        return None
    if first.fingerprint != fingerprint:
        raise IdempotencyKeyReusedError
    answer: bytes = first.answer
    return answer


async def keep_answer(session: AsyncSession, context: RequestContext, key: str, answer: bytes) -> None:
    """Store what the request was answered, beside its key."""
    mine = and_(_KEYS.account_id == context.caller.account_id, _KEYS.key == key)
    await session.execute(update(IDEMPOTENCY_KEYS).where(mine).values(answer=answer))


async def _sweep(session: AsyncSession, context: RequestContext) -> None:
    row = tuple_(_KEYS.account_id, _KEYS.key)
    old = select(_KEYS.account_id, _KEYS.key).where(_KEYS.created_at <= context.now - _KEPT).order_by(_KEYS.created_at)
    few = old.limit(_SWEPT).with_for_update(skip_locked=True)
    await session.execute(delete(IDEMPOTENCY_KEYS).where(row.in_(few)))
