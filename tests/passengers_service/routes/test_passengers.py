import asyncio
from datetime import datetime

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.passengers_service.conftest import (
    ANA,
    NOBODY,
    client_id,
    code_of,
    events_in,
    register,
    registered,
    replace,
)


class TestRegistering:
    async def test_answers_the_passenger_where_it_is_and_its_version(self, api: httpx.AsyncClient) -> None:
        answer = await register(api)

        passenger = answer.json()
        assert answer.status_code == 201
        assert answer.headers["location"] == f"/passengers/{passenger['id']}"
        assert answer.headers["etag"] == '"1"'
        assert passenger.items() >= ANA.items()
        assert passenger["created_at"] == passenger["updated_at"]
        assert datetime.fromisoformat(passenger["created_at"]).utcoffset() is not None

    async def test_keeps_a_clients_own_id(self, api: httpx.AsyncClient) -> None:
        own = client_id()

        assert (await registered(api, id=own))["id"] == own

    async def test_the_same_again_is_answered_again_and_does_nothing(
        self, api: httpx.AsyncClient, database: AsyncEngine
    ) -> None:
        own = client_id()
        first = await register(api, id=own)
        again = await register(api, id=own)

        assert (first.status_code, again.status_code) == (201, 200)
        assert (again.content, again.headers["location"]) == (first.content, first.headers["location"])
        assert len(await events_in(database)) == 1

    @pytest.mark.parametrize("changes", [{"first_name": "Eva"}, {"email": None}, {"document_number": "OTHER"}])
    async def test_refuses_another_passenger_under_the_same_id(
        self, api: httpx.AsyncClient, changes: dict[str, object]
    ) -> None:
        own = client_id()
        await registered(api, id=own)

        answer = await register(api, id=own, **changes)

        assert (answer.status_code, code_of(answer)) == (409, "id-taken")

    async def test_refuses_the_id_of_somebody_deleted(self, api: httpx.AsyncClient) -> None:
        own = client_id()
        await registered(api, id=own)
        await api.delete(f"/passengers/{own}")

        answer = await register(api, id=own)

        assert (answer.status_code, code_of(answer)) == (409, "id-taken")

    @pytest.mark.parametrize("number", ["PAB123456", "pab123456"])
    async def test_refuses_a_document_that_another_has(self, api: httpx.AsyncClient, number: str) -> None:
        await registered(api)

        answer = await register(api, document_number=number, first_name="Eva")

        assert (answer.status_code, code_of(answer)) == (409, "document-taken")

    async def test_takes_the_number_of_another_type_of_document(self, api: httpx.AsyncClient) -> None:
        await registered(api)

        assert (await register(api, document_type="id_card")).status_code == 201

    async def test_takes_the_document_of_somebody_deleted(self, api: httpx.AsyncClient) -> None:
        passenger = await registered(api)
        await api.delete(f"/passengers/{passenger['id']}")

        assert (await register(api)).status_code == 201

    async def test_of_many_at_once_with_one_document_one_gets_it(
        self, api: httpx.AsyncClient, database: AsyncEngine
    ) -> None:
        answers = await asyncio.gather(*(register(api) for _ in range(12)))

        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11
        assert len(await events_in(database)) == 1

    async def test_of_many_at_once_with_one_id_all_get_the_same(self, api: httpx.AsyncClient) -> None:
        own = client_id()

        answers = await asyncio.gather(*(register(api, id=own) for _ in range(12)))

        assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
        assert len({answer.content for answer in answers}) == 1

    async def test_of_two_at_once_under_one_id_that_differ_one_is_kept(self, api: httpx.AsyncClient) -> None:
        own = client_id()

        answers = await asyncio.gather(
            *(register(api, id=own, document_number=f"N{number}", first_name=f"N{number}") for number in range(12))
        )

        kept = (await api.get(f"/passengers/{own}")).json()
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11
        assert [answer.json() for answer in answers if answer.status_code == 201] == [kept]

    async def test_tells_all_fields_under_one_stamp(self, api: httpx.AsyncClient, database: AsyncEngine) -> None:
        passenger = await registered(api, phone=None)

        [event] = await events_in(database)
        [change] = event["data"]["changes"]
        assert (event["type"], event["source"]) == ("passenger.changed", "/passengers_service")
        assert (change["id"], len(change["stamp"])) == (passenger["id"], 16)
        assert change["fields"].items() >= (ANA | {"phone": None, "deleted_at": None}).items()
        assert set(change["fields"]) == {*ANA, "created_at", "deleted_at"}


class TestReading:
    async def test_answers_what_was_registered(self, api: httpx.AsyncClient) -> None:
        passenger = await registered(api)

        answer = await api.get(f"/passengers/{passenger['id']}")

        assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, passenger, '"1"')

    async def test_answers_304_until_it_changes(self, api: httpx.AsyncClient) -> None:
        passenger = await registered(api)
        path, known = f"/passengers/{passenger['id']}", {"If-None-Match": '"1"'}

        before = await api.get(path, headers=known)
        await replace(api, passenger, first_name="Eva")
        after = await api.get(path, headers=known)

        assert (before.status_code, before.content, before.headers["etag"]) == (304, b"", '"1"')
        assert (after.status_code, after.headers["etag"]) == (200, '"2"')


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
        ahead = 2**62
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


class TestDeleting:
    async def test_is_told_and_for_good(self, api: httpx.AsyncClient, database: AsyncEngine) -> None:
        passenger = await registered(api)
        path = f"/passengers/{passenger['id']}"

        answer = await api.delete(path)

        [change] = (await events_in(database))[-1]["data"]["changes"]
        later = [await api.get(path), await api.delete(path), await replace(api, passenger, first_name="Eva")]
        assert (answer.status_code, answer.content) == (204, b"")
        assert list(change["fields"]) == ["deleted_at"]
        assert [(one.status_code, code_of(one)) for one in later] == [(404, "passenger-deleted")] * 3
        assert (await api.get("/passengers")).json()["items"] == []

    async def test_refuses_a_version_that_is_no_more(self, api: httpx.AsyncClient) -> None:
        passenger = await registered(api)
        await replace(api, passenger, first_name="Eva")
        path = f"/passengers/{passenger['id']}"

        stale = await api.delete(path, headers={"If-Match": '"1"'})
        fresh = await api.delete(path, headers={"If-Match": '"2"'})

        assert (stale.status_code, code_of(stale), fresh.status_code) == (412, "stale-edit", 204)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("passenger_id", "status", "code"),
    [
        (NOBODY, 404, "passenger-not-found"),
        ("not-an-id", 404, "no-such-path"),
        ("%00", 404, "no-such-path"),
        ("ñ😀", 404, "no-such-path"),
    ],
)
async def test_finds_nobody_under_an_unknown_id(
    api: httpx.AsyncClient, method: str, passenger_id: str, status: int, code: str
) -> None:
    body = {"json": ANA} if method == "PUT" else {}

    answer = await api.request(method, f"/passengers/{passenger_id}", **body)  # type: ignore[arg-type]  # only a body

    assert (answer.status_code, code_of(answer)) == (status, code)


async def test_hides_a_passenger_whose_creation_has_not_arrived(api: httpx.AsyncClient, database: AsyncEngine) -> None:
    insert = "INSERT INTO passengers (id, phone, stamps, updated_at) VALUES (:id, '+34600', :stamps, now())"
    async with database.begin() as connection:
        await connection.execute(text(insert), {"id": NOBODY, "stamps": [0, 0, 0, 0, 0, 9, 0, 0, 0, 0]})

    answers = [await api.get(f"/passengers/{NOBODY}"), await register(api, id=NOBODY)]

    assert [code_of(answer) for answer in answers] == ["passenger-not-found", "id-taken"]
    assert (await api.get("/passengers")).json()["items"] == []
