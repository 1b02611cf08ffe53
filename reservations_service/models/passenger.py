"""A passenger as this service has it: a copy of what passengers_service keeps, which can be changed here too."""

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from reservations_service.events import PassengerFields
from service_kit.fields.country import CountryCode
from service_kit.fields.email import EmailAddress
from service_kit.fields.person import BirthDate, PersonName, PhoneNumber

_ANA: Final[JsonDict] = {
    "document_type": "passport",
    "document_number": "PAB123456",
    "first_name": "Ana María",
    "last_name": "Peña Ruiz",
    "email": "ana@example.com",
    "phone": "+34600123456",
    "birth_date": "1990-05-17",
    "nationality": "ES",
}

_Unchangeable = Annotated[str, Field(max_length=100, description="As it is: only passengers_service can change it.")]


class PassengerEdit(BaseModel):
    """What a caller sends to change a passenger: all fields, as they are to be."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_ANA]})

    document_type: _Unchangeable
    document_number: _Unchangeable
    first_name: PersonName
    last_name: PersonName
    email: EmailAddress | None = None
    phone: PhoneNumber | None = None
    birth_date: BirthDate
    nationality: CountryCode

    def fields(self) -> PassengerFields:
        """The stamped fields; those that are not here stay unset, and so as they are."""
        return PassengerFields(**self.model_dump())


class PassengerView(BaseModel):
    """A passenger as the API answers it."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50",
                    **_ANA,
                    "created_at": "2026-11-20T10:00:00.123000Z",
                    "updated_at": "2026-11-20T10:00:00.123000Z",
                }
            ]
        },
    )

    id: UUID
    document_type: str
    document_number: str
    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    birth_date: date
    nationality: str
    created_at: datetime
    updated_at: Annotated[datetime, Field(description="When this copy was last changed.")]
