"""`DELETE /users/{id}`: once, and only the version that was read."""

import httpx

from tests.user_service.conftest import register, registered


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
