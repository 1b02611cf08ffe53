import asyncio

import httpx
import pytest

from tests.loans_service.conftest import ADDRESS, LUCIA, Desk, client_id, code_of


async def test_registers_a_client(api: httpx.AsyncClient) -> None:
    sent = {**LUCIA, "address": ADDRESS, "income_currency": "MXN", "monthly_income": 18500}
    answer = await api.post("/clients", json=sent)
    client = answer.json()

    assert answer.status_code == 201
    assert answer.headers["location"] == f"/clients/{client['id']}"
    assert answer.headers["etag"] == '"1"'
    assert client == {
        "id": client["id"],
        "external_id": None,
        "phone": None,
        **sent,
        "monthly_income": "18500.00",
        "created_at": "2026-06-15T18:00:00Z",
        "updated_at": "2026-06-15T18:00:00Z",
    }


async def test_answers_the_same_client_again(api: httpx.AsyncClient) -> None:
    sent = {**LUCIA, "id": client_id(), "income_currency": "CLP", "monthly_income": "900000"}
    first = await api.post("/clients", json=sent)
    again = await api.post("/clients", json={**sent, "monthly_income": 900_000})

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert first.json()["monthly_income"] == "900000"


async def test_answers_what_has_become_of_the_same_client(api: httpx.AsyncClient) -> None:
    sent = {**LUCIA, "id": client_id()}
    await api.post("/clients", json=sent)
    await api.put(f"/clients/{sent['id']}", json={**LUCIA, "first_name": "Luz"})
    again = await api.post("/clients", json=sent)

    assert (again.status_code, again.json()["first_name"], again.headers["etag"]) == (200, "Luz", '"2"')


async def test_refuses_the_id_of_another_client(api: httpx.AsyncClient) -> None:
    taken = client_id()
    await api.post("/clients", json={**LUCIA, "id": taken})
    answer = await api.post("/clients", json={**LUCIA, "id": taken, "document_type": "passport"})

    assert (answer.status_code, code_of(answer)) == (409, "id-taken")


async def test_refuses_the_id_of_a_client_that_was_deleted(api: httpx.AsyncClient) -> None:
    sent = {**LUCIA, "id": client_id()}
    await api.post("/clients", json=sent)
    await api.delete(f"/clients/{sent['id']}")

    assert code_of(await api.post("/clients", json=sent)) == "id-taken"


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"document_number": "BOXW 310820-HNERXN09"}, "document-taken"),
        ({"document_type": "passport", "external_id": "CRM-1"}, "external-id-taken"),
    ],
)
async def test_refuses_what_belongs_to_another_client(desk: Desk, other: dict[str, str], code: str) -> None:
    await desk.client(external_id="CRM-1")
    answer = await desk.api.post("/clients", json={**LUCIA, **other})

    assert (answer.status_code, code_of(answer)) == (409, code)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("document_number", "BOXW310820HNERXN08"),
        ("document_type", "curp"),
        ("email", "lucia"),
        ("phone", "5512345678"),
        ("birth_date", "2008-06-16"),  # 18 tomorrow
        ("birth_date", "2026-02-30"),
        ("first_name", "\u200b"),
        ("first_name", "a\x00"),
        ("address", {"street": "Reforma 222"}),
        ("address", [ADDRESS]),
        ("monthly_income", "18500.00"),
        ("income_currency", "MXN"),
        ("nickname", "Lu"),
        ("id", "f47ac10b-58cc-4372-a567-0e02b2c3d479"),
        ("external_id", "x" * 65),
    ],
)
async def test_refuses_what_breaks_a_rule(api: httpx.AsyncClient, field: str, value: object) -> None:
    answer = await api.post("/clients", json={**LUCIA, field: value})

    assert (answer.status_code, code_of(answer)) == (422, "invalid-request")


async def test_takes_who_is_18_today_where_the_lender_is(desk: Desk) -> None:
    client = await desk.client(birth_date="2008-06-15")

    assert client["birth_date"] == "2008-06-15"


async def test_takes_a_crowd_with_one_document_for_one_client(api: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(api.post("/clients", json=LUCIA) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
