"""`POST /passengers`: ids and documents that are taken, and many at once."""

import asyncio
from datetime import datetime

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.passengers_service.conftest import ANA, client_id, code_of, events_in, register, registered


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
