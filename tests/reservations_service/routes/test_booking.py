"""`POST /reservations` on a real PostgreSQL: one seat is sold once, whatever happens at the same moment."""

import asyncio
import re
import time
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select

import reservations_service.services.booking
from reservations_service.events import PassengerFields
from reservations_service.models.tables import PASSENGERS, RESERVATIONS
from service_kit.clock import utc_now
from service_kit.fields.uuid7 import new_uuid7
from service_kit.postgres.store import PostgresStore
from service_kit.testing.fakes import FakeClock
from tests.reservations_service.conftest import DEPARTURE, RANDOM_ID, TRIP, book, booked, code_of, edit, spelled, tell

MINUTES = timedelta(minutes=1)


async def count(store: PostgresStore) -> int:
    async with store.transaction() as session:
        return await session.scalar(select(func.count()).select_from(RESERVATIONS)) or 0


async def test_holds_a_seat_for_fifteen_minutes(api: httpx.AsyncClient, ana: UUID, clock: FakeClock) -> None:
    answer = await book(api, ana)
    reservation = answer.json()

    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert answer.headers["location"] == f"/reservations/{reservation['id']}"
    assert reservation | TRIP == reservation
    assert (reservation["passenger_id"], reservation["status"]) == (str(ana), "pending")
    assert re.fullmatch("[A-HJ-NP-Z2-9]{6}", reservation["code"])
    assert UUID(reservation["id"]).version == 7
    instants = {name: clock.now.isoformat().replace("+00:00", "Z") for name in ("created_at", "updated_at")}
    assert {name: reservation[name] for name in instants} == instants
    assert reservation["hold_expires_at"] == (clock.now + 15 * MINUTES).isoformat().replace("+00:00", "Z")


async def test_keeps_a_departure_in_utc_and_to_the_minute(api: httpx.AsyncClient, ana: UUID) -> None:
    reservation = await booked(api, ana, departure_at="2099-12-24T11:30:59.9+01:00")

    assert reservation["departure_at"] == DEPARTURE
    assert (await book(api, ana, departure_at="2099-12-24T05:30:17-05:00")).status_code == 409


async def test_sells_a_seat_once_to_200_at_the_same_moment(
    api: httpx.AsyncClient, ana: UUID, store: PostgresStore
) -> None:
    started = time.monotonic()
    answers = await asyncio.gather(*(book(api, ana) for _ in range(200)))
    seconds = time.monotonic() - started

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 199}
    assert {code_of(answer) for answer in answers if answer.status_code == 409} == {"seat-taken"}
    assert await count(store) == 1
    assert seconds < 10


@pytest.mark.parametrize(
    "other",
    [{"seat": "12D"}, {"flight_number": "IB3171"}, {"departure_at": "2099-12-25T10:30:00Z"}],
    ids=["seat", "flight", "day"],
)
async def test_sells_another_seat(api: httpx.AsyncClient, ana: UUID, other: dict[str, str]) -> None:
    await booked(api, ana)

    assert (await book(api, ana, **other)).status_code == 201


async def test_sells_a_seat_again_as_soon_as_its_hold_is_over(
    api: httpx.AsyncClient, ana: UUID, clock: FakeClock
) -> None:
    first = await booked(api, ana)
    clock.advance(15 * MINUTES - timedelta(milliseconds=1))
    early = await book(api, ana)
    clock.advance(timedelta(milliseconds=1))

    answers = await asyncio.gather(*(book(api, ana) for _ in range(20)))

    assert early.status_code == 409
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}
    assert (await api.get(f"/reservations/{first['id']}")).json()["status"] == "expired"


async def test_sells_the_seat_of_a_cancelled_reservation_but_not_of_a_confirmed_one(
    api: httpx.AsyncClient, ana: UUID, clock: FakeClock
) -> None:
    first = await booked(api, ana)
    await edit(api, first, status="confirmed")
    clock.advance(60 * MINUTES)
    taken = await book(api, ana)
    await edit(api, first, status="cancelled")

    assert (taken.status_code, (await book(api, ana)).status_code) == (409, 201)


async def test_a_repeat_with_the_same_id_is_harmless(api: httpx.AsyncClient, ana: UUID, store: PostgresStore) -> None:
    own_id = str(new_uuid7(utc_now()))

    answers = await asyncio.gather(*(book(api, ana, id=own_id) for _ in range(30)))
    await edit(api, answers[0].json(), status="confirmed")
    late = await book(api, ana, id=own_id, departure_at="2099-12-24T11:30:00+01:00")

    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 29}
    assert {answer.content for answer in answers} == {answers[0].content}
    assert (late.status_code, late.json()["status"], late.headers["etag"]) == (200, "confirmed", '"2"')
    assert await count(store) == 1


async def test_refuses_another_wish_with_the_same_id(api: httpx.AsyncClient, ana: UUID) -> None:
    own_id = str(new_uuid7(utc_now()))
    await booked(api, ana, id=own_id)

    answer = await book(api, ana, id=own_id, seat="12D")

    assert (answer.status_code, code_of(answer)) == (409, "id-taken")


async def test_draws_another_code_when_one_is_taken(
    api: httpx.AsyncClient, ana: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = iter(["AAAAAA", "AAAAAA", "AAAAAA", "BBBBBB"])
    monkeypatch.setattr(reservations_service.services.booking, "draw_code", lambda: next(codes))

    both = [await booked(api, ana, seat=seat) for seat in ("1A", "1B")]

    assert [reservation["code"] for reservation in both] == ["AAAAAA", "BBBBBB"]


async def test_refuses_a_passenger_that_it_does_not_know(api: httpx.AsyncClient) -> None:
    answer = await book(api, uuid4())

    assert (answer.status_code, code_of(answer)) == (422, "unknown-passenger")
    assert "There is no passenger" in answer.json()["detail"]


async def test_refuses_a_passenger_whose_creation_has_not_arrived(api: httpx.AsyncClient, store: PostgresStore) -> None:
    passenger_id = uuid4()
    await tell(store, PassengerFields(email="ana@example.org"), passenger_id)

    answer = await book(api, passenger_id)

    assert (answer.status_code, code_of(answer)) == (422, "unknown-passenger")


async def test_refuses_a_deleted_passenger_whose_old_reservations_stay(
    api: httpx.AsyncClient, ana: UUID, store: PostgresStore
) -> None:
    reservation = await booked(api, ana)
    await tell(store, PassengerFields(deleted_at=utc_now()), ana)

    answer = await book(api, ana, seat="12D")

    assert (answer.status_code, code_of(answer)) == (409, "deleted-passenger")
    assert (await api.get(f"/reservations/{reservation['id']}")).json() == reservation
    assert (await api.get("/reservations", params={"passenger_id": str(ana)})).json()["items"] == [reservation]


async def test_waits_for_a_deletion_that_was_first(api: httpx.AsyncClient, ana: UUID, store: PostgresStore) -> None:
    async with store.transaction() as deleting:
        await deleting.execute(PASSENGERS.update().where(PASSENGERS.c.id == ana).values(deleted_at=utc_now()))
        booking = asyncio.create_task(book(api, ana))
        await asyncio.sleep(0.3)
        assert not booking.done()

    assert code_of(await booking) == "deleted-passenger"


async def test_refuses_a_departure_in_the_past_in_words(api: httpx.AsyncClient, ana: UUID, clock: FakeClock) -> None:
    answer = await book(api, ana, departure_at=spelled(clock.now - 2 * MINUTES))

    assert (answer.status_code, code_of(answer)) == (422, "departure-in-past")
    [mistake] = answer.json()["errors"]
    assert mistake["field"] == "body.departure_at"
    assert mistake["message"] == answer.json()["detail"]
    assert "lies in the past" in mistake["message"]


async def test_takes_the_departure_of_this_very_minute(api: httpx.AsyncClient, ana: UUID, clock: FakeClock) -> None:
    departure_at = spelled(clock.now)
    clock.now = clock.now.replace(second=59)

    assert (await book(api, ana, departure_at=departure_at)).status_code == 201


async def test_answers_a_repeat_after_the_departure_too(api: httpx.AsyncClient, ana: UUID, clock: FakeClock) -> None:
    new_reservation = {"id": str(new_uuid7(utc_now())), "departure_at": spelled(clock.now + 5 * MINUTES)}
    first = await booked(api, ana, **new_reservation)
    clock.advance(10 * MINUTES)

    repeat = await book(api, ana, **new_reservation)

    assert (repeat.status_code, repeat.json()) == (200, first)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("flight_number", value) for value in ("IB03170", "ib3170", "IB\u0000170", 3170, None)],
        *[("origin", value) for value in ("LIS", "mad", "MADRID", "MA\u0000")],
        *[("departure_at", value) for value in ("2099-12-24", "2099-12-24T10:30:00", 1_798_108_200, "")],
        *[("departure_at", value) for value in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")],
        *[("seat", value) for value in ("12I", "0A", "12c", "A12", "12C\u0000")],
        *[("cabin", value) for value in ("Economy", "", None)],
        *[("id", value) for value in ("x", RANDOM_ID, 7, "019a9f3e-6c00-7a1b-8c2d-3e4f5a6b7c8d\u0000")],
        *[("passenger_id", value) for value in ("x", None, 1)],
        *[("status", "confirmed"), ("code", "AAAAAA")],
    ],
)
async def test_refuses_what_is_no_reservation(api: httpx.AsyncClient, ana: UUID, field: str, value: object) -> None:
    answer = await book(api, ana, **{field: value})

    assert (answer.status_code, code_of(answer)) == (422, "invalid-request")
    assert all(mistake["message"] for mistake in answer.json()["errors"])
