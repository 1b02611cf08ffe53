"""A client of the lender: as a caller sends it, and as the API answers it."""

from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_serializer, field_validator, model_validator
from pydantic.config import JsonDict

from loans_service.models.amounts import Amount, AmountText, CurrencyCode, amount_text
from loans_service.models.documents import DocumentNumber, DocumentType, compact
from loans_service.models.texts import ExternalId, Line
from service_kit.fields.country import CountryCode
from service_kit.fields.email import EmailAddress
from service_kit.fields.person import BirthDate, PersonName, PhoneNumber
from service_kit.fields.timestamps import ResponseTimestamp
from service_kit.fields.uuid7 import ClientId

_HASH_BYTES: Final = 16

_LUCIA: Final[JsonDict] = {
    "external_id": "CRM-1041",
    "document_type": "CURP",
    "document_number": "BOXW310820HNERXN09",
    "first_name": "Lucía",
    "last_name": "Hernández Ruiz",
    "email": "lucia@example.com",
    "phone": "+525512345678",
    "birth_date": "1990-05-17",
    "address": {
        "street": "Av. Reforma 222, piso 3",
        "city": "Ciudad de México",
        "region": "CDMX",
        "postal_code": "06600",
        "country": "MX",
    },
    "income_currency": "MXN",
    "monthly_income": "18500.00",
}
_ID: Final = "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50"


class Address(BaseModel):
    """Where a client lives."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    street: Line
    city: Line
    region: Line | None = None
    postal_code: Line | None = None
    country: CountryCode


class ClientEdit(BaseModel):
    """All that can be edited of a client, as a caller sends it to replace what was there."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_LUCIA]})

    external_id: ExternalId | None = None
    document_type: DocumentType
    document_number: DocumentNumber
    first_name: PersonName
    last_name: PersonName
    email: EmailAddress
    phone: PhoneNumber | None = None
    birth_date: Annotated[BirthDate, Field(description="18 years ago or earlier, where the lender is.")]
    address: Address | None = None
    income_currency: CurrencyCode | None = None
    monthly_income: Annotated[Amount | None, Field(description="With `income_currency`, or without both.")] = None

    @field_validator("document_number")
    @classmethod
    def _compact(cls, number: str, info: ValidationInfo) -> str:
        kind = info.data.get("document_type")
        return number if kind is None else compact(kind, number)

    @field_serializer("monthly_income", when_used="json")
    def _as_answered(self, amount: Decimal | None) -> str | None:
        return amount_text(amount, self.income_currency) if amount is not None and self.income_currency else None

    @model_validator(mode="after")
    def _income_is_whole(self) -> Self:
        if (self.monthly_income is None) is not (self.income_currency is None):
            raise ValueError("Send monthly_income and income_currency, or neither")
        return self

    def stored(self) -> dict[str, Any]:
        """The fields as the columns have them: the address flat."""
        fields = dict(self)
        address = fields.pop("address")
        return fields | {name: getattr(address, name, None) for name in Address.model_fields}


class NewClient(ClientEdit):
    """A client, as a caller sends it to register somebody."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"id": _ID, **_LUCIA}]})

    id: Annotated[
        ClientId | None,
        Field(description="A UUID of version 7 that you have made: then sending the same again is harmless."),
    ] = None

    @property
    def fingerprint(self) -> bytes:
        """By which a repeat is told from another client with the same id."""
        return blake2b(self.model_dump_json(exclude_defaults=True).encode(), digest_size=_HASH_BYTES).digest()


class AddressView(BaseModel):
    """An address as the API answers it."""

    street: str
    city: str
    region: str | None
    postal_code: str | None
    country: str


class ClientView(BaseModel):
    """A client as the API answers it. Without the rules for a new one: what is stored can always be read."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    **_LUCIA,
                    "created_at": "2026-11-20T10:00:00.123Z",
                    "updated_at": "2026-11-20T10:00:00.123Z",
                }
            ]
        },
    )

    id: UUID
    external_id: str | None
    document_type: str
    document_number: str
    first_name: str
    last_name: str
    email: str
    phone: str | None
    birth_date: date
    address: AddressView | None
    income_currency: str | None
    monthly_income: AmountText | None
    created_at: ResponseTimestamp
    updated_at: ResponseTimestamp
