"""Transactions that PostgreSQL ends for the sake of another are tried again, by the frame."""

import asyncio
from typing import Annotated

import pytest
from fastapi import APIRouter, Body
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.postgres.dependencies import SessionDep, TransactionRoute
from service_kit.postgres.store import PostgresStore
from service_kit.problems import StoreUnavailableError
from tests.service_kit.conftest import ClientMaker
from tests.support.ledger import api
from tests.support.ledger.serving import serving
from tests.support.ledger.tables import PAYMENTS

pytestmark = pytest.mark.usefixtures("clean_environment")

ISOLATED = text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
UNDO = "DO $$ BEGIN RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '{}'; END $$"


async def pay(session: AsyncSession, *payers: str) -> None:
    await session.execute(PAYMENTS.insert(), [{"payer": payer, "cents": 1} for payer in payers])


async def test_of_two_in_a_deadlock_both_come_through(ledger: PostgresStore) -> None:
    async with ledger.transaction() as session:
        await pay(session, "ana", "eve")
    met = asyncio.Barrier(2)
    tries: list[str] = []

    async def raise_both(first: str, second: str) -> None:
        async def work(session: AsyncSession) -> None:
            tries.append(first)
            await session.execute(PAYMENTS.update().where(PAYMENTS.c.payer == first).values(cents=PAYMENTS.c.cents + 1))
            if len(tries) <= 2:
                await met.wait()
            await session.execute(
                PAYMENTS.update().where(PAYMENTS.c.payer == second).values(cents=PAYMENTS.c.cents + 1)
            )

        await ledger.in_transaction(work)

    await asyncio.gather(raise_both("ana", "eve"), raise_both("eve", "ana"))

    async with ledger.transaction() as session:
        assert (await session.scalars(select(PAYMENTS.c.cents))).all() == [3, 3]
    assert len(tries) == 3


async def test_a_serialisation_failure_at_the_commit_is_tried_again(ledger: PostgresStore) -> None:
    met = asyncio.Barrier(2)
    tries: list[str] = []

    async def pay_if_nobody_has(payer: str) -> None:
        async def work(session: AsyncSession) -> None:
            tries.append(payer)
            await session.execute(ISOLATED)
            found = await session.scalar(select(func.count()).select_from(PAYMENTS))
            if len(tries) <= 2:
                await met.wait()
            if not found:
                await pay(session, payer)

        await ledger.in_transaction(work)

    await asyncio.gather(pay_if_nobody_has("ana"), pay_if_nobody_has("eve"))

    async with ledger.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(PAYMENTS)) == 1
    assert len(tries) == 3


@pytest.mark.parametrize(("state", "times"), [("40001", 4), ("40P01", 4), ("55P03", 1), ("57014", 1)])
async def test_one_that_is_always_undone_is_a_refusal_in_the_end(ledger: PostgresStore, state: str, times: int) -> None:
    tries: list[str] = []

    async def work(session: AsyncSession) -> None:
        tries.append(state)
        await session.execute(text(UNDO.format(state)))

    with pytest.raises(StoreUnavailableError) as refused:
        await ledger.in_transaction(work)
    assert (len(tries), refused.value.headers) == (times, {"Retry-After": "2"})
    assert "Try again" in refused.value.detail


async def test_a_route_is_tried_again_with_its_body(ledger: PostgresStore, make_client: ClientMaker) -> None:
    router = APIRouter(route_class=TransactionRoute)
    tries: list[str] = []

    @router.post("/twice", status_code=201)
    async def pay_at_the_second_try(payer: Annotated[str, Body(embed=True)], session: SessionDep) -> str:
        tries.append(payer)
        await pay(session, f"{payer}{len(tries)}")
        if len(tries) == 1:
            await session.execute(text(UNDO.format("40P01")))
        return payer

    app = api.build(ledger)
    app.include_router(router)
    async with serving(app, make_client) as client:
        answer = await client.post("/twice", json={"payer": "ana"})

    async with ledger.transaction() as session:
        assert (await session.scalars(select(PAYMENTS.c.payer))).all() == ["ana2"]
    assert (answer.status_code, answer.json(), tries) == (201, "ana", ["ana", "ana"])
