from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.loans_service.conftest import ADDRESS, NOON, Desk, code_of


async def fill(desk: Desk, count: int) -> list[dict[str, Any]]:
    """Clients of one hour after the other; each differs from the others."""
    clients = []
    for n in range(count):
        desk.now = NOON + timedelta(hours=n)
        clients.append(
            await desk.client(
                document_type="passport", document_number=f"PA{n}", first_name=f"Name{n}", email=f"USER{n}@example.com"
            )
        )
    return clients


async def listed(api: httpx.AsyncClient, **query: object) -> list[str]:
    answer = await api.get("/clients", params=query)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return [item["document_number"] for item in answer.json()["items"]]


async def test_lists_items_as_they_read_alone(desk: Desk) -> None:
    client = await desk.client(address=ADDRESS, income_currency="CLP", monthly_income=900000)

    assert (await desk.api.get("/clients")).json() == {"items": [client], "next_cursor": None}


@pytest.mark.parametrize(("sort", "order"), [("-created_at", [4, 3, 2, 1, 0]), ("created_at", [0, 1, 2, 3, 4])])
async def test_pages_in_both_directions(desk: Desk, sort: str, order: list[int]) -> None:
    await fill(desk, 5)
    found, path = [], f"/clients?limit=2&sort={sort}"
    while path:
        answer = await desk.api.get(path)
        found += [item["document_number"] for item in answer.json()["items"]]
        path = answer.links["next"]["url"] if answer.links else ""

    assert found == [f"PA{n}" for n in order]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "name2"}, ["PA2"]),
        ({"q": "pa3"}, ["PA3"]),
        ({"q": "user1"}, ["PA1"]),
        ({"q": "HERN", "limit": 1}, ["PA3"]),
        ({"q": "_"}, []),
        ({"document_number": "pa0"}, ["PA0"]),
        ({"email": "user3@EXAMPLE.com"}, ["PA3"]),
        ({"country": "MX"}, []),
        ({"created_at[gte]": "2026-06-15T19:00:00Z", "created_at[lt]": "2026-06-15T21:00:00Z"}, ["PA2", "PA1"]),
        ({"created_at[gte]": "2026-06-15T20:00:00Z", "q": "name3"}, ["PA3"]),
    ],
)
async def test_holds_all_filters_together(desk: Desk, query: dict[str, object], found: list[str]) -> None:
    await fill(desk, 4)

    assert await listed(desk.api, **query) == found


async def test_counts_when_asked_to(desk: Desk) -> None:
    await fill(desk, 3)
    page = (await desk.api.get("/clients", params={"limit": 1, "with_total": "true"})).json()

    assert (page["total"], page["total_is_exact"], len(page["items"])) == (3, True, 1)


@pytest.mark.parametrize(
    "query", ["nickname=x", "q=a&q=b", "sort=email", "q=%00", "created_at=2026-01-01", "limit=0", "created_at[gte]=x"]
)
async def test_refuses_filters_that_are_none(api: httpx.AsyncClient, query: str) -> None:
    answer = await api.get(f"/clients?{query}")

    assert (answer.status_code, code_of(answer)) == (422, "invalid-request")


async def test_refuses_a_cursor_of_another_sort(desk: Desk) -> None:
    await fill(desk, 2)
    cursor = (await desk.api.get("/clients", params={"limit": 1})).json()["next_cursor"]
    for wrong in (cursor, "313a", "313a78", f"{cursor}00"):
        answer = await desk.api.get("/clients", params={"sort": "created_at", "cursor": wrong})

        assert (answer.status_code, code_of(answer)) == (400, "bad-cursor")
