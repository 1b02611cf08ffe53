"""`GET`, `PUT` and `DELETE /reservations/{id}`: every status, and two editors at once."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from reservations_service.services.expiry import expire_overdue
from service_kit.postgres.store import PostgresStore
from service_kit.testing.fakes import FakeClock
from tests.reservations_service.conftest import JsonObject, book, booked, code_of, edit, spelled

HOLD = timedelta(minutes=15)


async def brought_to(api: httpx.AsyncClient, status: str, passenger_id: UUID, clock: FakeClock) -> JsonObject:
    """A reservation of this status."""
    reservation = await booked(api, passenger_id)
    if status == "expired":
        clock.advance(HOLD)
    elif status != "pending":
        await edit(api, reservation, status=status)
    read: JsonObject = (await api.get(f"/reservations/{reservation['id']}")).json()
    assert read["status"] == status
    return read


@pytest.mark.parametrize(
    ("current", "wished"), [("pending", "confirmed"), ("pending", "cancelled"), ("confirmed", "cancelled")]
)
async def test_takes_a_legal_change(
    api: httpx.AsyncClient, ana: UUID, clock: FakeClock, current: str, wished: str
) -> None:
    reservation = await brought_to(api, current, ana, clock)
    clock.advance(timedelta(seconds=1))

    answer = await edit(api, reservation, status=wished)

    at = clock.now.isoformat().replace("+00:00", "Z")
    assert (answer.status_code, answer.json()) == (200, reservation | {"status": wished, "updated_at": at})
    assert (await api.get(f"/reservations/{reservation['id']}")).headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize(
    ("current", "wished", "legal"),
    [
        ("pending", "expired", ["confirmed", "cancelled"]),
        *[("confirmed", wished, ["cancelled"]) for wished in ("pending", "expired")],
        *[("cancelled", wished, []) for wished in ("pending", "confirmed", "expired")],
        *[("expired", wished, []) for wished in ("pending", "confirmed", "cancelled")],
    ],
)
async def test_refuses_every_other_change_and_names_the_legal_ones(
    api: httpx.AsyncClient, ana: UUID, clock: FakeClock, current: str, wished: str, legal: list[str]
) -> None:
    reservation = await brought_to(api, current, ana, clock)

    answer = await edit(api, reservation, status=wished)

    assert (answer.status_code, code_of(answer)) == (409, "illegal-status-change")
    assert answer.json()["legal"] == legal
    assert all(status in answer.json()["detail"] for status in (current, *legal))
    assert (await api.get(f"/reservations/{reservation['id']}")).json() == reservation


@pytest.mark.parametrize("status", ["cancelled", "expired"])
async def test_changes_nothing_of_what_is_over(
    api: httpx.AsyncClient, ana: UUID, clock: FakeClock, status: str
) -> None:
    reservation = await brought_to(api, status, ana, clock)

    assert code_of(await edit(api, reservation, seat="14F")) == "illegal-status-change"
    assert (await edit(api, reservation)).json() == reservation


@pytest.mark.parametrize("status", ["pending", "confirmed"])
async def test_moves_to_a_free_seat_and_frees_the_old_one(
    api: httpx.AsyncClient, ana: UUID, clock: FakeClock, status: str
) -> None:
    reservation = await brought_to(api, status, ana, clock)

    moved = await edit(api, reservation, seat="14F", cabin="business")

    assert (moved.status_code, moved.json()["seat"], moved.json()["status"]) == (200, "14F", status)
    assert (await book(api, ana)).status_code == 201
    assert (await book(api, ana, seat="14F")).status_code == 409


async def test_refuses_to_move_to_a_departure_in_the_past(api: httpx.AsyncClient, ana: UUID, clock: FakeClock) -> None:
    reservation = await booked(api, ana)

    answer = await edit(api, reservation, departure_at=spelled(clock.now - timedelta(minutes=2)))

    assert (answer.status_code, code_of(answer)) == (422, "departure-in-past")
    assert [mistake["field"] for mistake in answer.json()["errors"]] == ["body.departure_at"]
    assert (await api.get(f"/reservations/{reservation['id']}")).json() == reservation


@pytest.fixture
async def departed(api: httpx.AsyncClient, ana: UUID, clock: FakeClock) -> JsonObject:
    """A hold that goes on while its flight has left."""
    reservation = await booked(api, ana, departure_at=spelled(clock.now + timedelta(minutes=1)))
    clock.advance(timedelta(minutes=5))
    return reservation


async def test_does_not_confirm_a_seat_of_a_flight_that_has_left(api: httpx.AsyncClient, departed: JsonObject) -> None:
    answer = await edit(api, departed, status="confirmed")

    assert (answer.status_code, code_of(answer)) == (422, "departure-in-past")


@pytest.mark.parametrize("correction", [{"seat": "14F"}, {"status": "cancelled"}], ids=["correct", "cancel"])
async def test_still_corrects_and_cancels_after_the_departure(
    api: httpx.AsyncClient, departed: JsonObject, correction: JsonObject
) -> None:
    answer = await edit(api, departed, **correction)

    assert (answer.status_code, answer.json() | correction) == (200, answer.json())


async def test_refuses_to_move_to_a_taken_seat(api: httpx.AsyncClient, ana: UUID) -> None:
    await booked(api, ana, seat="14F")
    reservation = await booked(api, ana)

    answer = await edit(api, reservation, seat="14F")

    assert (answer.status_code, code_of(answer)) == (409, "seat-taken")
    assert (await api.get(f"/reservations/{reservation['id']}")).json() == reservation


async def test_moves_to_a_seat_whose_hold_is_over(api: httpx.AsyncClient, ana: UUID, clock: FakeClock) -> None:
    await booked(api, ana, seat="14F")
    clock.advance(HOLD)
    reservation = await booked(api, ana)

    assert (await edit(api, reservation, seat="14F")).status_code == 200


async def test_of_all_who_move_to_one_seat_one_gets_it(api: httpx.AsyncClient, ana: UUID) -> None:
    reservations = [await booked(api, ana, seat=f"{row}A") for row in range(1, 21)]

    answers = await asyncio.gather(*(edit(api, reservation, seat="30A") for reservation in reservations))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 19}
    assert {code_of(answer) for answer in answers if answer.status_code == 409} == {"seat-taken"}


async def test_two_who_change_seats_at_once_both_hear_that_they_are_taken(api: httpx.AsyncClient, ana: UUID) -> None:
    one, other = [await booked(api, ana, seat=seat) for seat in ("1A", "1B")]

    answers = await asyncio.gather(edit(api, one, seat="1B"), edit(api, other, seat="1A"))

    assert [code_of(answer) for answer in answers] == ["seat-taken", "seat-taken"]


async def test_of_many_editors_of_one_version_one_wins(api: httpx.AsyncClient, ana: UUID) -> None:
    reservation = await booked(api, ana)

    answers = await asyncio.gather(
        *(edit(api, reservation, {"If-Match": '"1"'}, seat=f"{row}K") for row in range(20, 40))
    )

    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 19}


async def test_the_same_again_is_no_change(api: httpx.AsyncClient, ana: UUID) -> None:
    reservation = await booked(api, ana)

    answer = await edit(api, reservation, {"If-Match": '"1"'})

    assert (answer.json(), answer.headers["etag"]) == (reservation, '"1"')


async def test_reads_a_hold_that_is_over_the_same_before_and_after_it_is_written_down(
    api: httpx.AsyncClient, ana: UUID, clock: FakeClock, store: PostgresStore
) -> None:
    path = f"/reservations/{(await booked(api, ana))['id']}"
    clock.advance(HOLD)
    before = await api.get(path)
    async with store.transaction() as session:
        expired = await expire_overdue(session, now=clock.now)
    after = await api.get(path)

    assert expired == 1
    assert (after.json(), after.headers["etag"]) == (before.json(), before.headers["etag"])
    assert before.json()["status"] == "expired"
    assert (await api.get(path, headers={"If-None-Match": before.headers["etag"]})).status_code == 304
    assert (await api.get(path, headers={"If-None-Match": '"1"'})).status_code == 200


async def test_removes_a_pending_one_and_frees_its_seat(api: httpx.AsyncClient, ana: UUID) -> None:
    path = f"/reservations/{(await booked(api, ana))['id']}"

    stale = await api.delete(path, headers={"If-Match": '"7"'})
    removed = await api.delete(path, headers={"If-Match": '"1"'})

    assert (stale.status_code, removed.status_code, (await api.get(path)).status_code) == (412, 204, 404)
    assert (await book(api, ana)).status_code == 201


@pytest.mark.parametrize("status", ["confirmed", "cancelled", "expired"])
async def test_removes_no_other(api: httpx.AsyncClient, ana: UUID, clock: FakeClock, status: str) -> None:
    reservation = await brought_to(api, status, ana, clock)

    answer = await api.delete(f"/reservations/{reservation['id']}")

    assert (answer.status_code, code_of(answer)) == (409, "not-pending")
    assert (await api.get("/reservations", params={"status": status})).json()["items"] == [reservation]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_knows_no_other_id(api: httpx.AsyncClient, ana: UUID, method: str) -> None:
    reservation = await booked(api, ana)
    body = {name: reservation[name] for name in reservation.keys() - NOT_EDITABLE} if method == "PUT" else None

    answer = await api.request(method, f"/reservations/{uuid4()}", json=body)

    assert (answer.status_code, code_of(answer)) == (404, "reservation-not-found")


NOT_EDITABLE = {"id", "code", "passenger_id", "hold_expires_at", "created_at", "updated_at"}
