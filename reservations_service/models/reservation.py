"""A reservation: as a caller sends it, as PostgreSQL keeps it, as the API answers it."""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from reservations_service.models.flight import Airport, Cabin, Departure, FlightNumber, Seat
from reservations_service.models.status import ReservationStatus
from service_kit.fields.uuid7 import ClientId, KnownId

_HASH_BYTES: Final = 16

# An example is sent as it stands: so its departure is one that nobody who reads it will outlive.
_TRIP: Final[JsonDict] = {
    "flight_number": "IB3170",
    "origin": "MAD",
    "destination": "LIS",
    "departure_at": "2099-12-24T10:30:00Z",
    "seat": "12C",
    "cabin": "economy",
}
_PASSENGER: Final[JsonDict] = {"passenger_id": "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50"}  # passengers_service's example


class _Trip(BaseModel):
    """What a caller chooses: a seat of a flight."""

    flight_number: FlightNumber
    origin: Airport
    destination: Airport
    departure_at: Departure
    seat: Seat
    cabin: Cabin

    @model_validator(mode="after")
    def _leads_elsewhere(self) -> Self:
        if self.origin == self.destination:
            raise ValueError("The destination is another airport than the origin")
        return self


class NewReservation(_Trip):
    """What a caller sends to book a seat."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{**_PASSENGER, **_TRIP}]})

    id: Annotated[
        ClientId | None,
        Field(description="A UUID of version 7 that you have made: then sending the same again is harmless."),
    ] = None
    passenger_id: Annotated[KnownId, Field(description="A passenger of passengers_service.")]

    @property
    def fingerprint(self) -> bytes:
        """Hash of the request; distinguishes a retry from a different request with the same id."""
        return blake2b(self.model_dump_json(exclude_defaults=True).encode(), digest_size=_HASH_BYTES).digest()


class ReservationEdit(_Trip):
    """What a caller sends to change a reservation: all that can be changed, as it is to be."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{**_TRIP, "status": "confirmed"}]})

    status: Annotated[
        ReservationStatus,
        Field(description="A pending one can become `confirmed` or `cancelled`, a confirmed one `cancelled`."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A row of `reservations`.

    Attributes:
        fingerprint: Of the new reservation, as it was sent.
    """

    id: UUID
    code: str
    passenger_id: UUID
    flight_number: str
    origin: str
    destination: str
    departure_at: datetime
    seat: str
    cabin: str
    status: ReservationStatus
    hold_expires_at: datetime
    created_at: datetime
    updated_at: datetime
    version: int
    fingerprint: bytes

    @classmethod
    def of(cls, row: Any) -> Self:  # noqa: ANN401 - a row of SQLAlchemy's, typed by its statement
        """Read a whole row."""
        values = row._asdict()
        return cls(**{**values, "status": ReservationStatus(values["status"])})

    def as_of(self, now: datetime) -> Self:
        """The reservation at an instant: a hold that is over has expired, even if the row does not say so yet.

        Storing the expiry later changes neither the answer nor its `ETag`.
        """
        if self.status is not ReservationStatus.PENDING or self.hold_expires_at > now:
            return self
        at, version = self.hold_expires_at, self.version + 1
        return replace(self, status=ReservationStatus.EXPIRED, updated_at=at, version=version)


class ReservationView(BaseModel):
    """A reservation as the API answers it."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "019a9f3f-1d40-7b2c-9d3e-4f5a6b7c8d9e",
                    "code": "K7QX2M",
                    **_PASSENGER,
                    **_TRIP,
                    "status": "pending",
                    "hold_expires_at": "2026-11-20T10:15:00.123000Z",
                    "created_at": "2026-11-20T10:00:00.123000Z",
                    "updated_at": "2026-11-20T10:00:00.123000Z",
                }
            ]
        },
    )

    id: UUID
    code: str
    passenger_id: UUID
    flight_number: str
    origin: str
    destination: str
    departure_at: datetime
    seat: str
    cabin: Cabin
    status: ReservationStatus
    hold_expires_at: Annotated[datetime, Field(description="A pending one keeps its seat until then.")]
    created_at: datetime
    updated_at: datetime
