"""How PostgreSQL finds the rows of `GET /passengers`."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine

from passengers_service.services.listing import PassengerQuery, conditions_of, page_of
from service_kit.pagination import encode_cursor
from tests.passengers_service.conftest import NOBODY, fill


class TestPlans:
    """Every list is read from an index: no scan of the table, and no sort of more than was found."""

    @pytest.mark.parametrize(
        ("query", "index"),
        [
            ({}, "passengers_pkey"),
            ({"cursor": encode_cursor(NOBODY)}, "passengers_pkey"),
            ({"limit": 10_000}, "passengers_pkey"),
            ({"document_number": "P77"}, "passengers_document"),
            ({"updated_since": "2026-01-01T05:30:00Z"}, "passengers_updated_at"),
            ({"q": "last7777"}, "passengers_last_name"),
            ({"q": "last7777"}, "passengers_first_name"),
            ({"q": "last7777"}, "passengers_email"),
            ({"q": "last7777"}, "passengers_document"),
        ],
    )
    async def test_use_an_index(
        self, api: httpx.AsyncClient, database: AsyncEngine, query: dict[str, Any], index: str
    ) -> None:
        assert api
        await fill(database, 20_000)
        async with database.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("ANALYZE passengers"))
        plan = await _plan(database, query)

        assert index in plan
        assert "Seq Scan" not in plan

    async def test_needs_no_statistics_for_the_first_page(self, api: httpx.AsyncClient, database: AsyncEngine) -> None:
        """Right after a large load there are none."""
        assert api
        await fill(database, 20_000)
        plan = await _plan(database, {})

        assert "passengers_pkey" in plan
        assert "Sort" not in plan


async def _plan(database: AsyncEngine, query: dict[str, Any]) -> str:
    asked = PassengerQuery.model_validate(query)
    page = page_of(conditions_of(asked), asked.limit)
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # of SQLAlchemy
    statement = page.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    async with database.connect() as connection:
        plan = await connection.exec_driver_sql(f"EXPLAIN {str(statement).replace('%%', '%')}")
        return "\n".join(line for (line,) in plan)
