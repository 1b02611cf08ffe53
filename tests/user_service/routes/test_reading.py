"""`GET /users/{id}`, also for who has read it before."""

import httpx
import pytest

from tests.user_service.conftest import NOBODY, code_of, registered


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
