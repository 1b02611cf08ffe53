from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from reservations_service.models.flight import Airport, Departure, FlightNumber, Seat

FLIGHTS: TypeAdapter[str] = TypeAdapter(FlightNumber)
AIRPORTS: TypeAdapter[str] = TypeAdapter(Airport)
SEATS: TypeAdapter[str] = TypeAdapter(Seat)
DEPARTURES: TypeAdapter[datetime] = TypeAdapter(Departure)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(FLIGHTS, text) for text in ("IB3170", "U21", "9W9999", "LX8")]
    + [(AIRPORTS, "MAD")]
    + [(SEATS, text) for text in ("1A", "12C", "99L")],
)
def test_takes_what_airlines_write(kind: TypeAdapter[str], text: str) -> None:
    assert kind.validate_python(text) == text


@pytest.mark.parametrize(
    ("kind", "text"),
    [(FLIGHTS, text) for text in ("", "IB", "ib3170", "IB 3170", "IB03170", "IB0", "IB31700", "123", "ÍB1", "IB1\n")]
    + [(AIRPORTS, text) for text in ("", "mad", "MA", "MADR", "MÁD", "MAD\0", "M4D")]
    + [(SEATS, text) for text in ("", "A12", "12", "0A", "012C", "100A", "12I", "12c", "12M", "\u0661A")],
)
def test_refuses_another_spelling_of_what_could_be_the_same(kind: TypeAdapter[str], text: str) -> None:
    with pytest.raises(ValidationError, match="Write "):
        kind.validate_python(text)


@pytest.mark.parametrize("text", ["2026-12-24T10:30:00Z", "2026-12-24T11:30:59.999+01:00", "2026-12-24t10:30:00z"])
def test_understands_a_departure_to_the_minute_in_utc(text: str) -> None:
    departure = DEPARTURES.validate_python(text)

    assert (departure, departure.tzinfo) == (datetime(2026, 12, 24, 10, 30, tzinfo=UTC), UTC)


@pytest.mark.parametrize(
    "given",
    [
        *(
            "",
            "2026-12-24",
            "2026-12-24T10:30:00",
            "2026-12-24T10:30Z",
            "2026-12-24T24:00:00Z",
            "soon",
            1_798_108_200,
            None,
            True,
        ),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_refuses_a_departure_that_is_no_instant(given: object) -> None:
    with pytest.raises(ValidationError):
        DEPARTURES.validate_python(given)
