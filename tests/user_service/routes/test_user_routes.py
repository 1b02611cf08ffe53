import asyncio
from collections import Counter

import httpx
import pytest
from bson import ObjectId
from passlib.context import CryptContext

from tests.user_service.conftest import PASSWORD, Stored, code_of, register, registered

NOBODY = "665f1c2ab1e4d3a7c9f0e811"
HASHES = CryptContext(schemes=["bcrypt"])


class TestRegistering:
    async def test_answers_the_user_and_where_it_is(self, api: httpx.AsyncClient) -> None:
        answer = await register(api)

        user = answer.json()
        assert answer.status_code == 201
        assert answer.headers["location"] == f"/users/{user['id']}"
        assert answer.headers["etag"] == '"1"'
        assert list(user) == ["id", "name", "email", "created_at", "updated_at"]

    async def test_is_read_again_as_it_was_answered(self, api: httpx.AsyncClient) -> None:
        answer = await register(api, name="Ñandú 🐦", email="ñ.😀@ñandú.com.ar", password="contraseña 🔑")

        again = await api.get(answer.headers["location"])

        assert (again.content, again.headers["etag"]) == (answer.content, answer.headers["etag"])

    async def test_stores_a_bcrypt_hash_and_no_password(self, api: httpx.AsyncClient, stored: Stored) -> None:
        user = await registered(api)

        document = await stored.find_one({"_id": ObjectId(user["id"])})

        assert document is not None
        assert HASHES.verify(PASSWORD, document["password_hash"])
        assert PASSWORD not in str(document)

    @pytest.mark.parametrize("email", ["Ana@example.com", "ANA@EXAMPLE.COM", "ana@example.com"])
    async def test_refuses_an_address_that_is_taken_in_any_letters(self, api: httpx.AsyncClient, email: str) -> None:
        await registered(api)

        answer = await register(api, email=email)

        assert (answer.status_code, code_of(answer)) == (409, "email-taken")

    async def test_gives_an_address_to_one_of_many_that_want_it_at_once(
        self, api: httpx.AsyncClient, stored: Stored
    ) -> None:
        answers = await asyncio.gather(*(register(api) for _ in range(20)))

        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}
        assert await stored.count_documents({}) == 1

    @pytest.mark.parametrize("password", ["a" * 73, "ñ" * 37, "1234567"])
    async def test_refuses_a_password_that_bcrypt_would_cut_or_anybody_guess(
        self, api: httpx.AsyncClient, password: str
    ) -> None:
        answer = await register(api, password=password)

        assert (answer.status_code, code_of(answer)) == (422, "invalid-request")
        assert [mistake["field"] for mistake in answer.json()["errors"]] == ["body.password"]
        assert password not in answer.text

    async def test_lists_every_wrong_field(self, api: httpx.AsyncClient) -> None:
        answer = await register(api, name="", email="nobody", password="short", is_admin=True)

        fields = {mistake["field"] for mistake in answer.json()["errors"]}
        assert fields == {"body.name", "body.email", "body.password", "body.is_admin"}

    async def test_tells_no_password_in_any_answer_or_log_line(
        self, api: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
    ) -> None:
        secret = "do not tell anybody"
        user = await registered(api, password=secret)
        answers = [
            await register(api, password=secret),
            await register(api, email="no", password=secret),
            await register(api, password=[secret]),
            await register(api, password=secret * 4),
            await api.put(f"/users/{user['id']}", json={"password": secret}),
            await api.put(f"/users/{user['id']}", json={"password": secret, "x": secret}),
            await api.get(f"/users/{user['id']}"),
            await api.get("/users/"),
        ]

        assert [answer for answer in answers if secret in answer.text or "$2b$" in answer.text] == []
        logged = "".join(capfd.readouterr())
        assert "POST /users/ 201" in logged
        assert secret not in logged
        assert "$2b$" not in logged


class TestReading:
    @pytest.mark.parametrize("user_id", [NOBODY, "not-an-id", "ñ", "%00", "%ff", "0" * 5000])
    async def test_finds_nobody_under_an_unknown_id(self, api: httpx.AsyncClient, user_id: str) -> None:
        answer = await api.get(f"/users/{user_id}")

        assert (answer.status_code, code_of(answer)) == (404, "user-not-found")
        assert len(answer.json()["detail"]) < 500

    @pytest.mark.parametrize("tag", ['"1"', 'W/"1"', '"7", "1"', "*"])
    async def test_answers_304_to_who_has_the_version(self, api: httpx.AsyncClient, tag: str) -> None:
        user = await registered(api)

        answer = await api.get(f"/users/{user['id']}", headers={"If-None-Match": tag})

        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')

    @pytest.mark.parametrize("tag", ['"2"', "1", '"', ""])
    async def test_answers_the_user_to_who_has_another_version(self, api: httpx.AsyncClient, tag: str) -> None:
        user = await registered(api)

        answer = await api.get(f"/users/{user['id']}", headers={"If-None-Match": tag})

        assert (answer.status_code, answer.json()) == (200, user)


class TestListing:
    async def test_answers_with_and_without_a_slash_alike(self, api: httpx.AsyncClient) -> None:
        user = await registered(api)

        for path in ("/users", "/users/"):
            assert (await api.get(path)).json() == {"items": [user], "next_cursor": None}
        assert (await api.post("/users", json={})).status_code == 422

    async def test_shows_everybody_once_page_by_page_while_others_register(self, api: httpx.AsyncClient) -> None:
        users = [await registered(api, email=f"user{number}@example.com") for number in range(5)]
        seen = []
        link = "/users/?limit=2"
        while link:
            page = await api.get(link)
            seen += page.json()["items"]
            link = page.links.get("next", {}).get("url", "")
            await registered(api, email=f"late{len(seen)}@example.com")

        assert seen == users[::-1]

    @pytest.mark.parametrize("prefix", ["JOSÉ", "josé.", "José.B@Example.c", "josé.b@example.com"])
    async def test_finds_users_by_how_their_address_begins(self, api: httpx.AsyncClient, prefix: str) -> None:
        await registered(api, email="jose.c@example.com")
        user = await registered(api, email="José.B@example.com")

        assert (await api.get("/users/", params={"email_prefix": prefix})).json()["items"] == [user]

    @pytest.mark.parametrize("prefix", [".*", "^", "$", "\\", "\0", "a\0", "😀", "*"])
    async def test_takes_a_prefix_for_text_and_not_for_a_pattern(self, api: httpx.AsyncClient, prefix: str) -> None:
        await registered(api)

        answer = await api.get("/users/", params={"email_prefix": prefix})

        assert (answer.status_code, answer.json()["items"]) == (200, [])

    async def test_finds_an_address_by_the_index(self, api: httpx.AsyncClient, stored: Stored) -> None:
        for number in range(30):
            await registered(api, email=f"user{number}@example.com")

        plan = await stored.find({"email_key": {"$gte": "user7", "$lt": "user7\U0010ffff"}}).explain()

        assert plan["executionStats"]["totalKeysExamined"] <= 2
        assert plan["executionStats"]["nReturned"] == 1

    @pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=many", "email_prefix="])
    async def test_refuses_a_query_that_breaks_the_rules(self, api: httpx.AsyncClient, query: str) -> None:
        answer = await api.get(f"/users/?{query}")

        assert (answer.status_code, code_of(answer)) == (422, "invalid-request")

    @pytest.mark.parametrize("cursor", ["x", "%00", "313a", "313a" + "3" * 48 + "33"])
    async def test_refuses_a_cursor_that_it_has_not_answered(self, api: httpx.AsyncClient, cursor: str) -> None:
        answer = await api.get(f"/users/?cursor={cursor}")

        assert (answer.status_code, code_of(answer)) == (400, "bad-cursor")


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


class TestRemoving:
    async def test_removes_a_user_once(self, api: httpx.AsyncClient) -> None:
        user = await registered(api)
        path = f"/users/{user['id']}"

        answers = [await api.delete(path), await api.delete(path), await api.get(path)]

        assert [answer.status_code for answer in answers] == [204, 404, 404]
        assert answers[0].content == b""

    async def test_frees_the_address(self, api: httpx.AsyncClient) -> None:
        user = await registered(api)
        await api.delete(f"/users/{user['id']}")

        assert (await register(api)).status_code == 201

    async def test_removes_only_the_version_that_was_read(self, api: httpx.AsyncClient) -> None:
        user = await registered(api)
        path = f"/users/{user['id']}"

        answers = [await api.delete(path, headers={"If-Match": tag}) for tag in ('"2"', '"1"')]

        assert [answer.status_code for answer in answers] == [412, 204]
