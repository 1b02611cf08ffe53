"""`PUT /passengers/{id}`: what it tells, and editors at once."""

import asyncio
from datetime import timedelta

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from passengers_service.events import NODE
from service_kit.clock import utc_now
from service_kit.replication.hybrid_clock import HybridClock
from tests.passengers_service.conftest import ANA, code_of, events_in, registered, replace


class TestReplacing:
    async def test_changes_what_differs_and_tells_only_that(
        self, api: httpx.AsyncClient, database: AsyncEngine
    ) -> None:
        passenger = await registered(api)
        answer = await replace(api, passenger, first_name="Eva", email="eva@example.com")

        told = (await events_in(database))[-1]["data"]["changes"]
        assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
        assert answer.json() == passenger | {
            "first_name": "Eva",
            "email": "eva@example.com",
            "updated_at": answer.json()["updated_at"],
        }
        assert answer.json() == (await api.get(f"/passengers/{passenger['id']}")).json()
        assert [change["fields"] for change in told] == [{"first_name": "Eva", "email": "eva@example.com"}]

    async def test_takes_away_what_is_left_out(self, api: httpx.AsyncClient, database: AsyncEngine) -> None:
        passenger = await registered(api)
        body = {name: value for name, value in ANA.items() if name not in {"email", "phone"}}

        answer = await api.put(f"/passengers/{passenger['id']}", json=body)

        assert (answer.json()["email"], answer.json()["phone"]) == (None, None)
        [change] = (await events_in(database))[-1]["data"]["changes"]
        assert change["fields"] == {"email": None, "phone": None}

    async def test_writes_nothing_when_nothing_differs(self, api: httpx.AsyncClient, database: AsyncEngine) -> None:
        passenger = await registered(api)
        tag = (await api.get("/passengers")).headers["etag"]

        answer = await replace(api, passenger, document_number="pab123456", first_name=" Ana María ")

        assert (answer.status_code, answer.headers["etag"], answer.json()) == (200, '"1"', passenger)
        assert len(await events_in(database)) == 1
        assert (await api.get("/passengers")).headers["etag"] == tag

    async def test_stamps_later_than_every_edit_that_it_knows(
        self, api: httpx.AsyncClient, database: AsyncEngine
    ) -> None:
        passenger = await registered(api)
        ahead = HybridClock(NODE, lambda: utc_now() + timedelta(hours=1)).tick()
        async with database.begin() as connection:
            await connection.execute(text("UPDATE passengers SET stamps[5] = :ahead"), {"ahead": ahead})

        await replace(api, passenger, first_name="Eva")

        [change] = (await events_in(database))[-1]["data"]["changes"]
        assert int(change["stamp"], 16) > ahead

    async def test_refuses_the_document_of_another(self, api: httpx.AsyncClient, database: AsyncEngine) -> None:
        await registered(api)
        other = await registered(api, document_number="OTHER")

        answer = await replace(api, other, document_number="PAB123456", first_name="Eva")

        assert (answer.status_code, code_of(answer)) == (409, "document-taken")
        assert (await api.get(f"/passengers/{other['id']}")).json() == other
        assert len(await events_in(database)) == 2

    async def test_of_many_at_once_that_have_read_the_same_version_one_wins(self, api: httpx.AsyncClient) -> None:
        passenger = await registered(api)

        answers = await asyncio.gather(
            *(replace(api, passenger, first_name=f"N{number}", if_match='"1"') for number in range(12))
        )

        kept = (await api.get(f"/passengers/{passenger['id']}")).json()
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 11
        assert [answer.json() for answer in answers if answer.status_code == 200] == [kept]

    async def test_of_many_at_once_without_a_version_all_are_kept_in_some_order(
        self, api: httpx.AsyncClient, database: AsyncEngine
    ) -> None:
        passenger = await registered(api)

        answers = await asyncio.gather(*(replace(api, passenger, first_name=f"N{number}") for number in range(12)))

        stamps = [event["data"]["changes"][0]["stamp"] for event in await events_in(database)]
        assert {answer.status_code for answer in answers} == {200}
        assert (await api.get(f"/passengers/{passenger['id']}")).headers["etag"] == '"13"'
        assert len(set(stamps)) == 13
