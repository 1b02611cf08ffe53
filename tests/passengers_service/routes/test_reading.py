"""`GET /passengers/{id}`, and the paths under which nobody is found."""

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.passengers_service.conftest import ANA, NOBODY, code_of, register, registered, replace


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
