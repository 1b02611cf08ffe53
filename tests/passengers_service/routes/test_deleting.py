"""`DELETE /passengers/{id}`: for good, and only the version that was read."""

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.passengers_service.conftest import code_of, events_in, registered, replace


class TestDeleting:
    async def test_is_told_and_for_good(self, api: httpx.AsyncClient, database: AsyncEngine) -> None:
        passenger = await registered(api)
        path = f"/passengers/{passenger['id']}"

        answer = await api.delete(path)

        [change] = (await events_in(database))[-1]["data"]["changes"]
        later = [await api.get(path), await api.delete(path), await replace(api, passenger, first_name="Eva")]
        assert (answer.status_code, answer.content) == (204, b"")
        assert list(change["fields"]) == ["deleted_at"]
        assert [(one.status_code, code_of(one)) for one in later] == [(404, "passenger-deleted")] * 3
        assert (await api.get("/passengers")).json()["items"] == []

    async def test_refuses_a_version_that_is_no_more(self, api: httpx.AsyncClient) -> None:
        passenger = await registered(api)
        await replace(api, passenger, first_name="Eva")
        path = f"/passengers/{passenger['id']}"

        stale = await api.delete(path, headers={"If-Match": '"1"'})
        fresh = await api.delete(path, headers={"If-Match": '"2"'})

        assert (stale.status_code, code_of(stale), fresh.status_code) == (412, "stale-edit", 204)
