"""`PATCH /reservations/{id}`: the rules of `PUT`, with the fields that are given alone."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from service_kit.testing.fakes import FakeClock
from tests.reservations_service.conftest import JsonObject, booked, code_of, spelled

HOLD = timedelta(minutes=15)


async def patch(
    api: httpx.AsyncClient, reservation: JsonObject, changes: object, headers: dict[str, str] | None = None
) -> httpx.Response:
    return await api.patch(f"/reservations/{reservation['id']}", json=changes, headers=headers or {})


@pytest.mark.parametrize("changes", [{"status": "confirmed"}, {"seat": "14F", "cabin": "business"}])
async def test_changes_the_fields_given_and_keeps_the_others(
    api: httpx.AsyncClient, ana: UUID, clock: FakeClock, changes: JsonObject
) -> None:
    reservation = await booked(api, ana)
    clock.advance(timedelta(seconds=1))

    answer = await patch(api, reservation, changes)

    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert answer.json() == reservation | changes | {"updated_at": spelled(clock.now)}
    assert (await api.get(f"/reservations/{reservation['id']}")).json() == answer.json()


@pytest.mark.parametrize("changes", [{}, {"seat": "12C"}, {"departure_at": "2099-12-24T11:30:00+01:00"}])
async def test_the_same_again_is_no_change(api: httpx.AsyncClient, ana: UUID, changes: JsonObject) -> None:
    reservation = await booked(api, ana)

    answer = await patch(api, reservation, changes, {"If-Match": '"1"'})

    assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, reservation, '"1"')


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"origin": "LIS"}, "body"),
        ({"seat": None}, "body.seat"),
        ({"status": None}, "body.status"),
        ({"code": "K7QX2M"}, "body.code"),
        ([], "body"),
    ],
)
async def test_refuses_changes_that_break_the_rules(
    api: httpx.AsyncClient, ana: UUID, changes: object, field: str
) -> None:
    answer = await patch(api, await booked(api, ana), changes)

    assert (answer.status_code, code_of(answer)) == (422, "invalid-request")
    assert [mistake["field"] for mistake in answer.json()["errors"]] == [field]


async def test_refuses_what_put_refuses(api: httpx.AsyncClient, ana: UUID, clock: FakeClock) -> None:
    await booked(api, ana, seat="14F")
    reservation = await booked(api, ana)

    answers = [
        await patch(api, reservation, {"seat": "14F"}),
        await patch(api, reservation, {"departure_at": spelled(clock.now - timedelta(minutes=2))}),
        await patch(api, reservation, {"status": "expired"}),
        await patch(api, reservation, {"status": "confirmed"}, {"If-Match": '"2"'}),
        await patch(api, {"id": uuid4()}, {}),
    ]

    assert [(answer.status_code, code_of(answer)) for answer in answers] == [
        (409, "seat-taken"),
        (422, "departure-in-past"),
        (409, "illegal-status-change"),
        (412, "stale-edit"),
        (404, "reservation-not-found"),
    ]
    assert (await api.get(f"/reservations/{reservation['id']}")).json() == reservation


async def test_changes_nothing_of_a_hold_that_is_over(api: httpx.AsyncClient, ana: UUID, clock: FakeClock) -> None:
    reservation = await booked(api, ana)
    clock.advance(HOLD)

    assert code_of(await patch(api, reservation, {"seat": "14F"})) == "illegal-status-change"
    assert (await patch(api, reservation, {})).json()["status"] == "expired"


async def test_of_many_editors_of_one_version_one_wins(api: httpx.AsyncClient, ana: UUID) -> None:
    reservation = await booked(api, ana)

    answers = await asyncio.gather(
        *(patch(api, reservation, {"seat": f"{row}K"}, {"If-Match": '"1"'}) for row in range(20, 40))
    )

    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 19}
