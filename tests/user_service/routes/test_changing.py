"""`PUT /users/{id}`: every status, and two editors at once."""

import asyncio

import httpx
import pytest
from bson import ObjectId

from tests.user_service.conftest import NOBODY, Stored, code_of, registered


class TestChanging:
    async def test_changes_the_fields_given_and_keeps_the_others(self, api: httpx.AsyncClient, stored: Stored) -> None:
        user = await registered(api)
        before = await stored.find_one({"_id": ObjectId(user["id"])})

        answer = await api.put(f"/users/{user['id']}", json={"name": "Ana María"})

        after = await stored.find_one({"_id": ObjectId(user["id"])})
        assert before is not None
        assert after is not None
        assert after == before | {"name": "Ana María", "version": 2, "updated_at": after["updated_at"]}
        assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
        assert answer.json() == user | {"name": "Ana María", "updated_at": answer.json()["updated_at"]}

    async def test_lets_one_of_two_editors_win_that_read_the_same_version(self, api: httpx.AsyncClient) -> None:
        user = await registered(api)
        edits = [{"name": "Ana I"}, {"name": "Ana II"}]

        answers = await asyncio.gather(
            *(api.put(f"/users/{user['id']}", json=edit, headers={"If-Match": '"1"'}) for edit in edits)
        )

        [won] = [answer for answer in answers if answer.status_code == 200]
        [lost] = [answer for answer in answers if answer is not won]
        assert (lost.status_code, code_of(lost)) == (412, "stale-edit")
        assert (await api.get(f"/users/{user['id']}")).json() == won.json()

    @pytest.mark.parametrize("tag", ['"2"', 'W/"1"', "1", '"x"', '""'])
    async def test_refuses_an_edit_of_another_version(self, api: httpx.AsyncClient, tag: str) -> None:
        user = await registered(api)

        answer = await api.put(f"/users/{user['id']}", json={"name": "Bea"}, headers={"If-Match": tag})

        assert (answer.status_code, code_of(answer)) == (412, "stale-edit")

    async def test_refuses_the_address_of_another_user(self, api: httpx.AsyncClient) -> None:
        await registered(api)
        bea = await registered(api, email="bea@example.com")

        answer = await api.put(f"/users/{bea['id']}", json={"email": "ANA@example.com"})

        assert (answer.status_code, code_of(answer)) == (409, "email-taken")

    async def test_lets_a_user_write_the_own_address_in_other_letters(self, api: httpx.AsyncClient) -> None:
        user = await registered(api)

        answer = await api.put(f"/users/{user['id']}", json={"email": "ANA@example.com"})

        assert (answer.status_code, answer.json()["email"]) == (200, "ANA@example.com")

    @pytest.mark.parametrize("changes", [{}, {"name": None}, {"password": "a" * 73}, {"id": NOBODY}, [], None])
    async def test_refuses_changes_that_break_the_rules(self, api: httpx.AsyncClient, changes: object) -> None:
        user = await registered(api)

        answer = await api.put(f"/users/{user['id']}", json=changes)

        assert (answer.status_code, code_of(answer)) == (422, "invalid-request")

    async def test_finds_nobody_under_an_unknown_id(self, api: httpx.AsyncClient) -> None:
        for user_id in (NOBODY, "not-an-id"):
            answer = await api.put(f"/users/{user_id}", json={"name": "Ana"}, headers={"If-Match": '"1"'})

            assert (answer.status_code, code_of(answer)) == (404, "user-not-found")
