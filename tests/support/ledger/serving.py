"""The ledger's API in process, while it serves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from tests.service_kit.conftest import ClientMaker
from tests.support.rabbit_support import until


@asynccontextmanager
async def serving(app: FastAPI, make_client: ClientMaker) -> AsyncIterator[httpx.AsyncClient]:
    async with app.router.lifespan_context(app):
        client = await make_client(app)
        await until(lambda: is_ready(client))
        yield client


async def is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 200
