"""The transaction of a request, for routes; a worker has no use for this module, and needs no FastAPI."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.postgres_store import PostgresStore


async def _session(request: Request) -> AsyncIterator[AsyncSession]:
    store: PostgresStore = request.app.state.store
    async with store.transaction() as session:
        yield session


# FastAPI's default scope would commit after the answer has left.
SessionDep = Annotated[AsyncSession, Depends(_session, scope="function")]
"""A session whose transaction is committed before the answer leaves, and rolled back if the route raises."""
