"""What no client of good will sends: never a 500, and always a sentence."""

import httpx
import pytest

from tests.passengers_service.conftest import ANA, code_of, register, registered

JSON = {"Content-Type": "application/json"}
MEGABYTE = 1_048_576


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid-request"),
        (b"null", 422, "invalid-request"),
        (b"[]", 422, "invalid-request"),
        (b'{"first_name": "Ana', 400, "malformed-request"),
        (b'{"first_name": "\xff\xfe"}', 400, "malformed-request"),
        ('{"first_name": "Ana"}'.encode("utf-16"), 400, "malformed-request"),
        (rb'{"first_name": "\ud800"}', 400, "malformed-request"),
        (rb'{"first_name": "\u0000"}', 422, "invalid-request"),
        (b'{"first_name": ' + b"9" * 5000 + b"}", 400, "malformed-request"),
        (b"[" * 100_000, 400, "malformed-request"),
        (b'"' + b"a" * 10 * MEGABYTE + b'"', 413, "body-too-large"),
    ],
    ids=lambda value: repr(value)[:40],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_refuses_a_body_with_a_sentence(
    api: httpx.AsyncClient, method: str, body: bytes, status: int, code: str
) -> None:
    path = "/passengers" if method == "POST" else f"/passengers/{(await registered(api))['id']}"

    answer = await api.request(method, path, content=body, headers=JSON)

    assert (answer.status_code, code_of(answer)) == (status, code)


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


async def test_refuses_a_body_that_is_not_called_json(api: httpx.AsyncClient) -> None:
    answer = await api.post("/passengers", content=b"first_name=Ana", headers={"Content-Type": "text/plain"})

    assert (answer.status_code, code_of(answer)) == (415, "unsupported-media-type")


@pytest.mark.parametrize("name", sorted(set(ANA) - {"email", "phone"}))
async def test_wants_every_field_that_a_passenger_has(api: httpx.AsyncClient, name: str) -> None:
    body = {field: value for field, value in ANA.items() if field != name}

    answer = await api.post("/passengers", json=body)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"body.{name}")
