"""`PATCH /users/{id}`: what it changes, and what it leaves."""

import asyncio

import httpx
import pytest
from bson import ObjectId

from tests.user_service.conftest import NOBODY, Stored, code_of, registered


class TestPatching:
    async def test_changes_the_fields_given_and_keeps_the_others(self, api: httpx.AsyncClient, stored: Stored) -> None:
        user = await registered(api)
        before = await stored.find_one({"_id": ObjectId(user["id"])})

        answer = await api.patch(f"/users/{user['id']}", json={"name": "Ana María"})

        after = await stored.find_one({"_id": ObjectId(user["id"])})
        assert before is not None
        assert after is not None
        assert after == before | {"name": "Ana María", "version": 2, "updated_at": after["updated_at"]}
        assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
        assert answer.json() == user | {"name": "Ana María", "updated_at": answer.json()["updated_at"]}

    async def test_changes_a_password(self, api: httpx.AsyncClient, stored: Stored) -> None:
        user = await registered(api)
        before = await stored.find_one({"_id": ObjectId(user["id"])})

        answer = await api.patch(f"/users/{user['id']}", json={"password": "another horse"})

        after = await stored.find_one({"_id": ObjectId(user["id"])})
        assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
        assert before is not None
        assert after is not None
        assert after["password_hash"] != before["password_hash"]

    @pytest.mark.parametrize("changes", [{}, {"name": " Ana Peña "}, {"name": "Ana Peña", "email": "Ana@example.com"}])
    async def test_writes_nothing_when_nothing_differs(
        self, api: httpx.AsyncClient, stored: Stored, changes: dict[str, str]
    ) -> None:
        user = await registered(api)
        before = await stored.find_one({"_id": ObjectId(user["id"])})

        answer = await api.patch(f"/users/{user['id']}", json=changes)

        assert (answer.status_code, answer.headers["etag"], answer.json()) == (200, '"1"', user)
        assert await stored.find_one({"_id": ObjectId(user["id"])}) == before

    async def test_lets_one_of_two_editors_win_that_read_the_same_version(self, api: httpx.AsyncClient) -> None:
        user = await registered(api)

        answers = await asyncio.gather(
            *(api.patch(f"/users/{user['id']}", json={"name": name}, headers={"If-Match": '"1"'}) for name in "AB")
        )

        [won] = [answer for answer in answers if answer.status_code == 200]
        [lost] = [answer for answer in answers if answer is not won]
        assert (lost.status_code, code_of(lost)) == (412, "stale-edit")
        assert (await api.get(f"/users/{user['id']}")).json() == won.json()

    @pytest.mark.parametrize("changes", [{}, {"name": "Bea"}])
    async def test_refuses_an_edit_of_another_version(self, api: httpx.AsyncClient, changes: dict[str, str]) -> None:
        user = await registered(api)

        answer = await api.patch(f"/users/{user['id']}", json=changes, headers={"If-Match": '"2"'})

        assert (answer.status_code, code_of(answer)) == (412, "stale-edit")

    async def test_refuses_the_address_of_another_user(self, api: httpx.AsyncClient) -> None:
        await registered(api)
        bea = await registered(api, email="bea@example.com")

        answer = await api.patch(f"/users/{bea['id']}", json={"email": "ANA@example.com"})

        assert (answer.status_code, code_of(answer)) == (409, "email-taken")

    @pytest.mark.parametrize("changes", [{"name": None}, {"email": None}, {"password": None}, {"id": NOBODY}, [], None])
    async def test_refuses_changes_that_break_the_rules(self, api: httpx.AsyncClient, changes: object) -> None:
        user = await registered(api)

        answer = await api.patch(f"/users/{user['id']}", json=changes)

        assert (answer.status_code, code_of(answer)) == (422, "invalid-request")

    @pytest.mark.parametrize("user_id", [NOBODY, "not-an-id"])
    async def test_finds_nobody_under_an_unknown_id(self, api: httpx.AsyncClient, user_id: str) -> None:
        answer = await api.patch(f"/users/{user_id}", json={}, headers={"If-Match": '"1"'})

        assert (answer.status_code, code_of(answer)) == (404, "user-not-found")
