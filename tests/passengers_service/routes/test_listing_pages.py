"""`GET /passengers` page by page, also while others come and go."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from passengers_service.models.tables import passengers
from service_kit.pagination import encode_cursor
from tests.passengers_service.conftest import JsonObject, code_of, fill, register, registered


async def pages(api: httpx.AsyncClient, path: str) -> AsyncIterator[list[UUID]]:
    while path:
        answer = await api.get(path)
        yield [UUID(item["id"]) for item in answer.json()["items"]]
        path = answer.links["next"]["url"] if answer.json()["next_cursor"] else ""


class TestPages:
    async def test_are_empty_at_first(self, api: httpx.AsyncClient) -> None:
        answer = await api.get("/passengers")

        assert (answer.status_code, answer.json()) == (200, {"items": [], "next_cursor": None})
        assert "link" not in answer.headers

    @pytest.mark.parametrize(
        "odd",
        [
            {"email": None, "phone": None},
            {"first_name": 'Ñandú \\ "😀" </script>'},
            {"first_name": '+00:00","updated_at":"', "last_name": '+00:00"}'},
        ],
    )
    async def test_show_a_passenger_as_it_is_shown_alone(self, api: httpx.AsyncClient, odd: JsonObject) -> None:
        passenger = await registered(api, **odd)

        [listed] = (await api.get("/passengers")).json()["items"]

        assert listed == passenger == (await api.get(f"/passengers/{passenger['id']}")).json()
        assert list(listed) == list(passenger)

    async def test_hold_a_hundred_the_newest_first(self, api: httpx.AsyncClient, database: AsyncEngine) -> None:
        stored = await fill(database, 205)

        read = [page async for page in pages(api, "/passengers")]

        assert [len(page) for page in read] == [100, 100, 5]
        assert [one for page in read for one in page] == stored

    @pytest.mark.parametrize("limit", [1, 4, 5, 6, 10_000])
    async def test_end_exactly_with_the_last_passenger(
        self, api: httpx.AsyncClient, database: AsyncEngine, limit: int
    ) -> None:
        stored = await fill(database, 5)

        read = [page async for page in pages(api, f"/passengers?limit={limit}")]

        assert [one for page in read for one in page] == stored
        assert all(read)

    async def test_show_each_passenger_once_while_others_come_and_go(
        self, api: httpx.AsyncClient, database: AsyncEngine
    ) -> None:
        stored = await fill(database, 600)
        leaving = stored[50::60]
        read: list[UUID] = []

        async for page in pages(api, "/passengers?limit=50"):
            read += page
            await register(api, document_number=f"NEW{len(read)}")
            async with database.begin() as connection:
                gone = leaving.pop() if leaving else stored[0]
                await connection.execute(delete(passengers).where(passengers.c.id == gone))

        assert len(read) == len(set(read))
        assert set(stored) - set(stored[50::60]) <= set(read) <= set(stored)
        assert read == sorted(read, reverse=True)

    async def test_keep_their_filters(self, api: httpx.AsyncClient, database: AsyncEngine) -> None:
        stored = await fill(database, 30)

        read = [page async for page in pages(api, "/passengers?limit=4&q=last2")]

        assert [one for page in read for one in page] == [
            one for place, one in enumerate(stored, start=1) if str(place).startswith("2")
        ]

    @pytest.mark.parametrize("cursor", ["", "abc", "ñ", encode_cursor("not-an-id"), "f" * 500, encode_cursor("1" * 36)])
    async def test_refuse_a_cursor_that_they_have_not_answered(self, api: httpx.AsyncClient, cursor: str) -> None:
        answer = await api.get("/passengers", params={"cursor": cursor})

        assert (answer.status_code, code_of(answer)) == (400, "bad-cursor")
