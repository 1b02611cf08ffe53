"""A passenger: as a caller sends it, and as the API answers it."""

from datetime import date
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from service_kit.fields.country import CountryCode
from service_kit.fields.email import QuickEmailAddress
from service_kit.fields.person import BirthDate, PersonName, PhoneNumber
from service_kit.fields.text import Normalized, TextPattern
from service_kit.fields.timestamps import ResponseTimestamp
from service_kit.fields.uuid7 import ClientId

# No closed list: which kinds of documents there are differs between countries (DNI, NIE, CC, CURP).
DocumentType = Annotated[
    str,
    Field(max_length=20, description="`passport`, `DNI`, `CC`: a word of your own, but always the same one."),
    TextPattern(r"^[A-Za-z][A-Za-z0-9_]*$", "Write a word of letters A to Z, digits and _, like passport or DNI"),
]

DocumentNumber = Annotated[
    str,
    Field(max_length=32, description="Unique together with its type. Small letters become large."),
    TextPattern(
        r"^[A-Za-z0-9]([./-]?[A-Za-z0-9])*$", "Write letters A to Z and digits, between them single signs . / or -"
    ),
    Normalized(to_upper=True),
]

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
_ID: Final = "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50"


class PassengerEdit(BaseModel):
    """All that can be edited of a passenger, as a caller sends it to replace what was there."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_ANA]})

    document_type: DocumentType
    document_number: DocumentNumber
    first_name: PersonName
    last_name: PersonName
    email: QuickEmailAddress | None = None
    phone: PhoneNumber | None = None
    birth_date: BirthDate
    nationality: CountryCode


class NewPassenger(PassengerEdit):
    """A passenger, as a caller sends it to register somebody."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"id": _ID, **_ANA}]})

    id: Annotated[
        ClientId | None,
        Field(description="A UUID of version 7 that you have made: then sending the same again is harmless."),
    ] = None


class PassengerView(BaseModel):
    """A passenger as the API answers it. Without the rules for a new one: what is stored can always be read."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    **_ANA,
                    "created_at": "2026-11-20T10:00:00.123Z",
                    "updated_at": "2026-11-20T10:00:00.123Z",
                }
            ]
        },
        from_attributes=True,
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
    created_at: ResponseTimestamp
    updated_at: ResponseTimestamp
