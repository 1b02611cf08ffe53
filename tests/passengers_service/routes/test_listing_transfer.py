"""How often and how large `GET /passengers` travels: its versions and its compression."""

import asyncio
import gzip

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.passengers_service.conftest import fill, register, registered, replace

GZIP = {"Accept-Encoding": "gzip"}


class TestVersions:
    async def test_are_weak_and_answer_304_while_nothing_changes(self, api: httpx.AsyncClient) -> None:
        await registered(api)
        first = await api.get("/passengers", headers=GZIP)

        again = await api.get("/passengers", headers={"If-None-Match": first.headers["etag"]})

        assert first.headers["etag"].startswith('W/"')
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        assert again.headers["vary"] == first.headers["vary"] == "Accept-Encoding"

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
