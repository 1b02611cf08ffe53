"""`GET /users`: its pages, its search, and how the server finds an address."""

import httpx
import pytest

from tests.user_service.conftest import Stored, code_of, registered


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
