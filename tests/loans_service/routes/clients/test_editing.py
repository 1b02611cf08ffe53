import asyncio

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.loans_service.conftest import ADDRESS, LUCIA, NOBODY, Desk, account, code_of


async def history(api: httpx.AsyncClient, client_id: str) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = (await api.get(f"/clients/{client_id}/history")).json()["items"]
    return entries


async def test_reads_a_client_and_spares_who_has_it(desk: Desk) -> None:
    client = await desk.client()
    path = f"/clients/{client['id']}"
    answer = await desk.api.get(path)
    unchanged = await desk.api.get(path, headers={"If-None-Match": answer.headers["etag"]})

    assert (answer.json(), unchanged.status_code) == (client, 304)


async def test_replaces_a_client_and_takes_away_what_is_left_out(desk: Desk) -> None:
    client = await desk.client(phone="+525512345678", address=ADDRESS)
    answer = await desk.api.put(f"/clients/{client['id']}", json={**LUCIA, "first_name": "Luz"})

    assert answer.status_code == 200
    assert answer.json() == {**client, "first_name": "Luz", "phone": None, "address": None}
    assert answer.headers["etag"] == '"2"'


async def test_changes_nothing_where_nothing_differs(desk: Desk) -> None:
    sent = {**LUCIA, "address": ADDRESS, "income_currency": "MXN", "monthly_income": "18500.00"}
    client = await desk.create("/clients", sent)
    answer = await desk.api.put(f"/clients/{client['id']}", json={**sent, "monthly_income": 18500})

    assert (answer.headers["etag"], len(await history(desk.api, client["id"]))) == ('"1"', 1)


async def test_refuses_to_edit_what_has_changed_since_it_was_read(desk: Desk) -> None:
    client = await desk.client()
    path, tag = f"/clients/{client['id']}", {"If-Match": '"1"'}
    first = await desk.api.put(path, json={**LUCIA, "first_name": "Luz"}, headers=tag)
    second = await desk.api.put(path, json={**LUCIA, "first_name": "Lux"}, headers=tag)

    assert (first.status_code, second.status_code, code_of(second)) == (200, 412, "stale-edit")


async def test_lets_one_of_many_editors_of_one_version_through(desk: Desk) -> None:
    client = await desk.client()
    answers = await asyncio.gather(
        *(
            desk.api.put(f"/clients/{client['id']}", json={**LUCIA, "first_name": f"L{n}"}, headers={"If-Match": '"1"'})
            for n in range(10)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_knows_no_client_that_there_is_not(desk: Desk, method: str) -> None:
    body = {"json": LUCIA} if method == "PUT" else {}
    answer = await desk.api.request(method, f"/clients/{NOBODY}", **body)  # type: ignore[arg-type]

    assert (answer.status_code, code_of(answer)) == (404, "client-not-found")


async def test_shows_a_client_account_its_own_client_alone(desk: Desk) -> None:
    own, other = await desk.client(), await desk.client(document_type="passport")
    desk.caller = account("client", subject_id=own["id"])
    answers = [await desk.api.get(f"/clients/{one['id']}") for one in (own, other)]
    listed = (await desk.api.get("/clients", params={"with_total": "true"})).json()

    assert [answer.status_code for answer in answers] == [200, 404]
    assert ([item["id"] for item in listed["items"]], listed["total"]) == ([own["id"]], 1)
    assert (await desk.api.get(f"/clients/{own['id']}/history")).status_code == 404


async def test_tells_who_has_changed_what(desk: Desk) -> None:
    client = await desk.client()
    await desk.api.put(f"/clients/{client['id']}", json={**LUCIA, "first_name": "Luz"})
    created, edited = await history(desk.api, client["id"])

    assert (created["command"], edited["command"], edited["number"]) == ("create", "edit", 2)
    assert edited["changes"] == {"first_name": ["Lucía", "Luz"]}
    assert (edited["by"], edited["at"]) == (desk.caller.email, "2026-06-15T18:00:00Z")


async def test_pages_through_a_history(desk: Desk) -> None:
    client = await desk.client()
    for name in ("A", "B"):
        await desk.api.put(f"/clients/{client['id']}", json={**LUCIA, "first_name": name})
    path = f"/clients/{client['id']}/history"
    first = await desk.api.get(path, params={"limit": 2})
    second = await desk.api.get(first.headers["link"].partition(">")[0][1:])

    assert [entry["number"] for answer in (first, second) for entry in answer.json()["items"]] == [1, 2, 3]
    assert code_of(await desk.api.get(path, params={"cursor": "313a78"})) == "bad-cursor"


async def test_changes_the_fields_given(desk: Desk) -> None:
    client = await desk.client(phone="+525512345678", address=ADDRESS, income_currency="MXN", monthly_income=18500)
    changes = {"phone": None, "address": {"city": "Puebla"}, "monthly_income": "20000.5"}
    answer = await desk.api.patch(f"/clients/{client['id']}", json=changes)
    half = await desk.api.patch(f"/clients/{client['id']}", json={"monthly_income": None})

    assert answer.json() == {
        **client,
        "phone": None,
        "address": {**ADDRESS, "city": "Puebla"},
        "monthly_income": "20000.50",
    }
    assert (half.status_code, code_of(half)) == (422, "invalid-request")


class TestDeleting:
    async def test_leaves_who_and_when_but_no_values(self, desk: Desk, database: AsyncEngine) -> None:
        client = await desk.client()
        answer = await desk.api.delete(f"/clients/{client['id']}")
        entries = await history(desk.api, client["id"])

        assert answer.status_code == 204
        assert (await desk.api.get(f"/clients/{client['id']}")).status_code == 404
        assert [(entry["command"], entry["changes"]) for entry in entries] == [("create", None), ("delete", None)]
        async with database.connect() as connection:
            kept = await connection.scalar(text("SELECT string_agg(h::text, ' ') FROM client_history h"))
        assert "BOXW310820HNERXN09" not in str(kept)

    async def test_frees_the_document(self, desk: Desk) -> None:
        client = await desk.client()
        await desk.api.delete(f"/clients/{client['id']}")

        assert (await desk.client())["id"] != client["id"]

    async def test_deletes_only_the_version_that_was_read(self, desk: Desk) -> None:
        client = await desk.client()
        answer = await desk.api.delete(f"/clients/{client['id']}", headers={"If-Match": '"2"'})

        assert answer.status_code == 412
