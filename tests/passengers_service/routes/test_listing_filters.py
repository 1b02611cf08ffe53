"""`GET /passengers` by what is asked for."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.passengers_service.conftest import fill, registered


async def ids(api: httpx.AsyncClient, **query: object) -> list[UUID]:
    answer = await api.get("/passengers", params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return [UUID(item["id"]) for item in answer.json()["items"]]


class TestFilters:
    @pytest.mark.parametrize("q", ["peña", "PEÑA RU", "ana m", "pab1", "ANA@Example", "peña ruiz", " peña "])
    async def test_find_by_what_a_field_begins_with(self, api: httpx.AsyncClient, q: str) -> None:
        found = await registered(api)
        await registered(api, document_number="X1", first_name="Li", last_name="Wu", email=None)

        assert await ids(api, q=q) == [UUID(found["id"])]

    @pytest.mark.parametrize("q", ["uiz", "ña", "%", "_", "\\", "a%", "peña\\", "ana@example.com.", "'", '"', "😀"])
    async def test_find_nothing_else(self, api: httpx.AsyncClient, q: str) -> None:
        await registered(api)

        assert await ids(api, q=q) == []

    @pytest.mark.parametrize("name", ["50%", "a_b", "back\\slash"])
    async def test_take_signs_as_they_are(self, api: httpx.AsyncClient, name: str) -> None:
        found = await registered(api, last_name=name)

        assert await ids(api, q=name) == [UUID(found["id"])]

    async def test_find_a_document_as_a_whole(self, api: httpx.AsyncClient) -> None:
        one = await registered(api)
        other = await registered(api, document_type="id_card")
        await registered(api, document_number="PAB1234567")

        assert set(await ids(api, document_number="pab123456")) == {UUID(one["id"]), UUID(other["id"])}
        assert await ids(api, document_number="PAB12345") == []

    async def test_find_what_has_changed_since(self, api: httpx.AsyncClient, database: AsyncEngine) -> None:
        stored = await fill(database, 10)
        changed = (await registered(api))["updated_at"]

        assert set(await ids(api, updated_since="2026-01-01T00:00:08Z")) > set(stored[7:])
        assert stored[6] not in await ids(api, updated_since="2026-01-01T01:00:08+01:00")
        assert len(await ids(api, updated_since=changed)) == 1
        assert await ids(api, updated_since="9999-12-31T23:59:59.999999-14:00") == []
        assert len(await ids(api, updated_since="0001-01-01T00:00:00+14:00")) == 11

    async def test_hold_together(self, api: httpx.AsyncClient, database: AsyncEngine) -> None:
        stored = await fill(database, 30)

        assert await ids(api, q="last2", updated_since="2026-01-01T00:00:21Z", limit=3) == stored[20:23]

    @pytest.mark.parametrize(
        "query",
        [
            *("limit=0", "limit=10001", "limit=x", "q=", "q=%20", "q=%00", "q=a%00", f"q={'a' * 101}"),
            *("document_number=", "document_number=%00", "updated_since=now", "updated_since=1763632800"),
        ],
    )
    async def test_refuse_what_cannot_be(self, api: httpx.AsyncClient, query: str) -> None:
        answer = await api.get(f"/passengers?{query}")

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (
            422,
            f"query.{query.split('=', maxsplit=1)[0]}",
        )
