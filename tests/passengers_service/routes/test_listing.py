"""`GET /passengers` on a real PostgreSQL: its pages, its filters, its versions, and how the server finds the rows."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine

from passengers_service.models.tables import passengers
from passengers_service.services.listing import PassengerQuery, conditions_of, page_of
from service_kit.pages import encode_cursor
from tests.passengers_service.conftest import NOBODY, JsonObject, code_of, fill, register, registered, replace

GZIP = {"Accept-Encoding": "gzip"}


async def ids(api: httpx.AsyncClient, **query: object) -> list[UUID]:
    answer = await api.get("/passengers", params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return [UUID(item["id"]) for item in answer.json()["items"]]


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


class TestVersions:
    async def test_are_weak_and_answer_304_while_nothing_changes(self, api: httpx.AsyncClient) -> None:
        await registered(api)
        first = await api.get("/passengers", headers=GZIP)

        again = await api.get("/passengers", headers={"If-None-Match": first.headers["etag"]})

        assert first.headers["etag"].startswith('W/"')
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])

    async def test_differ_after_each_change(self, api: httpx.AsyncClient) -> None:
        tags = [(await api.get("/passengers")).headers["etag"]]
        passenger = await registered(api)
        tags.append((await api.get("/passengers")).headers["etag"])
        await replace(api, passenger, first_name="Eva")
        tags.append((await api.get("/passengers")).headers["etag"])
        await api.delete(f"/passengers/{passenger['id']}")
        tags.append((await api.get("/passengers")).headers["etag"])

        assert len(set(tags)) == 4

    async def test_stay_after_a_change_that_was_refused(self, api: httpx.AsyncClient) -> None:
        await registered(api)
        tag = (await api.get("/passengers")).headers["etag"]

        await register(api, first_name="Eva")

        assert (await api.get("/passengers")).headers["etag"] == tag

    async def test_change_with_what_can_be_seen_not_with_what_is_being_written(
        self, api: httpx.AsyncClient, database: AsyncEngine
    ) -> None:
        """Whoever reads while another writes keeps no old list under the new version."""
        await registered(api)
        before = await api.get("/passengers")
        async with database.begin() as connection:
            await connection.execute(text("UPDATE passengers SET first_name = 'Eva'"))
            await connection.execute(text("INSERT INTO list_version (slot, count) VALUES (99, 1)"))
            during = await api.get("/passengers", headers={"If-None-Match": before.headers["etag"]})
            read_during = await api.get("/passengers")
        after = await api.get("/passengers", headers={"If-None-Match": read_during.headers["etag"]})

        assert during.status_code == 304
        assert read_during.json() == before.json()
        assert (after.status_code, after.json()["items"][0]["first_name"]) == (200, "Eva")

    async def test_never_hide_a_change_from_readers_among_writers(self, api: httpx.AsyncClient) -> None:
        passenger = await registered(api)

        async def write() -> None:
            for number in range(20):
                assert (await replace(api, passenger, first_name=f"N{number}")).status_code == 200

        async def read() -> str:
            answer = await api.get("/passengers")
            while not writing.done():
                newer = await api.get("/passengers", headers={"If-None-Match": answer.headers["etag"]})
                answer = answer if newer.status_code == 304 else newer
            final = await api.get("/passengers", headers={"If-None-Match": answer.headers["etag"]})
            last = answer if final.status_code == 304 else final
            return str(last.json()["items"][0]["first_name"])

        writing = asyncio.create_task(write())
        assert await asyncio.gather(*(read() for _ in range(4))) == ["N19"] * 4


class TestCompression:
    async def test_is_there_for_large_pages_when_asked_for(self, api: httpx.AsyncClient, database: AsyncEngine) -> None:
        await fill(database, 100)

        async with api.stream("GET", "/passengers", headers=GZIP) as answer:
            raw = b"".join([part async for part in answer.aiter_raw()])
        plain = await api.get("/passengers", headers={"Accept-Encoding": "gzip;q=0"})

        assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "Accept-Encoding")
        assert gzip.decompress(raw) == plain.content
        assert len(raw) < len(plain.content) / 4
        assert "content-encoding" not in plain.headers

    async def test_is_not_there_for_small_ones(self, api: httpx.AsyncClient) -> None:
        assert "content-encoding" not in (await api.get("/passengers", headers=GZIP)).headers


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
