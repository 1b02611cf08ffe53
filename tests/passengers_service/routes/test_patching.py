"""`PATCH /passengers/{id}`: what it changes and tells, and editors at once."""

import asyncio

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.passengers_service.conftest import NOBODY, JsonObject, code_of, events_in, registered

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


async def patch(api: httpx.AsyncClient, passenger: JsonObject, changes: object, if_match: str = "*") -> httpx.Response:
    return await api.patch(f"/passengers/{passenger['id']}", json=changes, headers=MERGE_PATCH | {"If-Match": if_match})


class TestPatching:
    async def test_changes_the_fields_given_and_tells_only_them(
        self, api: httpx.AsyncClient, database: AsyncEngine
    ) -> None:
        passenger = await registered(api)

        answer = await patch(api, passenger, {"first_name": "Eva", "email": None, "last_name": passenger["last_name"]})

        told = (await events_in(database))[-1]["data"]["changes"]
        assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
        assert answer.json() == passenger | {
            "first_name": "Eva",
            "email": None,
            "updated_at": answer.json()["updated_at"],
        }
        assert answer.json() == (await api.get(f"/passengers/{passenger['id']}")).json()
        assert [change["fields"] for change in told] == [{"first_name": "Eva", "email": None}]

    @pytest.mark.parametrize("changes", [{}, {"document_number": "pab123456", "first_name": " Ana María "}])
    async def test_writes_nothing_when_nothing_differs(
        self, api: httpx.AsyncClient, database: AsyncEngine, changes: JsonObject
    ) -> None:
        passenger = await registered(api)
        tag = (await api.get("/passengers")).headers["etag"]

        answer = await patch(api, passenger, changes)

        assert (answer.status_code, answer.headers["etag"], answer.json()) == (200, '"1"', passenger)
        assert len(await events_in(database)) == 1
        assert (await api.get("/passengers")).headers["etag"] == tag

    async def test_leaves_what_an_older_rule_has_taken(self, api: httpx.AsyncClient, database: AsyncEngine) -> None:
        passenger = await registered(api)
        async with database.begin() as connection:
            await connection.execute(text("UPDATE passengers SET first_name = 'Ana\u200d'"))

        answer = await patch(api, passenger, {"phone": None})

        assert (answer.status_code, answer.json()["first_name"]) == (200, "Ana\u200d")
        assert (await patch(api, passenger, {"first_name": "\u200d"})).status_code == 422

    async def test_refuses_the_document_of_another(self, api: httpx.AsyncClient, database: AsyncEngine) -> None:
        await registered(api)
        other = await registered(api, document_number="OTHER")

        answer = await patch(api, other, {"document_number": "PAB123456"})

        assert (answer.status_code, code_of(answer)) == (409, "document-taken")
        assert (await api.get(f"/passengers/{other['id']}")).json() == other
        assert len(await events_in(database)) == 2

    async def test_of_many_at_once_that_have_read_the_same_version_one_wins(self, api: httpx.AsyncClient) -> None:
        passenger = await registered(api)

        answers = await asyncio.gather(
            *(patch(api, passenger, {"first_name": f"N{number}"}, '"1"') for number in range(12))
        )

        kept = (await api.get(f"/passengers/{passenger['id']}")).json()
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 11
        assert [answer.json() for answer in answers if answer.status_code == 200] == [kept]

    async def test_of_many_at_once_that_change_different_fields_all_are_kept(self, api: httpx.AsyncClient) -> None:
        passenger = await registered(api)
        changes: list[JsonObject] = [
            *({"first_name": "Eva"}, {"last_name": "Ruiz"}, {"email": "eva@example.com"}),
            *({"phone": None}, {"nationality": "PT"}, {"birth_date": "1991-01-01"}),
        ]

        answers = await asyncio.gather(*(patch(api, passenger, change) for change in changes))

        kept = (await api.get(f"/passengers/{passenger['id']}")).json()
        assert {answer.status_code for answer in answers} == {200}
        assert all(kept | change == kept for change in changes)

    @pytest.mark.parametrize(
        "changes",
        [{"first_name": None}, {"birth_date": None}, {"nationality": "XX"}, {"id": NOBODY}, {"version": 7}, [], None],
    )
    async def test_refuses_changes_that_break_the_rules(self, api: httpx.AsyncClient, changes: object) -> None:
        answer = await patch(api, await registered(api), changes)

        assert (answer.status_code, code_of(answer)) == (422, "invalid-request")

    async def test_a_passenger_that_is_unknown_or_deleted_is_not_there(self, api: httpx.AsyncClient) -> None:
        passenger = await registered(api)
        await api.delete(f"/passengers/{passenger['id']}")

        answers = [await patch(api, one, {"phone": None}) for one in (passenger, {"id": NOBODY})]

        assert [(answer.status_code, code_of(answer)) for answer in answers] == [
            (404, "passenger-deleted"),
            (404, "passenger-not-found"),
        ]
