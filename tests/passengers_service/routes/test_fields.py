"""Which fields a passenger has, and what each may be."""

import httpx
import pytest

from tests.passengers_service.conftest import ANA, register, registered


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("first_name", "A\0"), ("last_name", "\0"), ("document_number", "\0A1"), ("email", "a\0@example.com")),
        *(("phone", "+34600\0"), ("birth_date", "1990-05-17\0"), ("nationality", "E\0"), ("document_type", "\0")),
        *(("id", "\0"), ("birth_date", "9999-12-31"), ("birth_date", -1e300), ("is_complete", True), ("stamps", [])),
        *(("version", 9), ("deleted_at", None), ("created_at", "2020-01-01T00:00:00Z")),
    ],
)
async def test_refuses_a_field_and_names_it(api: httpx.AsyncClient, field: str, value: object) -> None:
    answer = await register(api, **{field: value})

    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [f"body.{field}"])


async def test_keeps_every_character_that_people_write(api: httpx.AsyncClient) -> None:
    name = "Ñandú 李小龍 👩‍👩‍👧 עברית \U0010fffd"

    passenger = await registered(api, first_name=name, email="用户@例子.广告")

    read = (await api.get(f"/passengers/{passenger['id']}")).json()
    listed = (await api.get("/passengers", params={"q": "ñANDÚ 李"})).json()["items"]
    assert [one["first_name"] for one in (passenger, read, *listed)] == [name] * 3
    assert read["email"] == "用户@例子.广告"


@pytest.mark.parametrize("name", sorted(set(ANA) - {"email", "phone"}))
async def test_wants_every_field_that_a_passenger_has(api: httpx.AsyncClient, name: str) -> None:
    body = {field: value for field, value in ANA.items() if field != name}

    answer = await api.post("/passengers", json=body)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"body.{name}")
