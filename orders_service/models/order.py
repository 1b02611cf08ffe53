"""An order: as a caller wishes it, as MongoDB keeps it, as the API answers it."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Self

from beanie import Document
from pydantic import BaseModel, ConfigDict, Field
from pydantic_extra_types.currency_code import Currency
from pymongo import ASCENDING, DESCENDING, IndexModel

from orders_service.models.money import Money, Price
from service_kit.mongo_outbox import OUTBOX_INDEX

IDEMPOTENCY_INDEX: Final = "idempotency_key"
_MAX_ITEMS: Final = 100


class OrderStatus(StrEnum):
    """Where an order stands."""

    PLACED = "placed"
    CANCELLED = "cancelled"


class OrderItem(BaseModel):
    """One line of an order."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    sku: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^\S+$")]
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
    quantity: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    unit_price: Price


UserId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]


class NewOrder(BaseModel):
    """What a caller sends to place an order."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "user_id": "665f1c2ab1e4d3a7c9f0e812",
                    "items": [{"sku": "MUG-01", "name": "Coffee mug", "quantity": 3, "unit_price": "19.99"}],
                    "currency": "EUR",
                    "notes": "Ring twice",
                }
            ]
        },
    )

    user_id: UserId | None = None
    items: Annotated[list[OrderItem], Field(min_length=1, max_length=_MAX_ITEMS)]
    currency: Currency
    notes: Annotated[str | None, Field(max_length=1000)] = None

    @property
    def total(self) -> Decimal:
        """The sum of all lines, exact."""
        return sum((item.unit_price * item.quantity for item in self.items), Decimal("0.00"))


class _OrderFields(BaseModel):
    """What an order is, wherever it stands."""

    status: OrderStatus
    user_id: str | None = None
    items: list[OrderItem]
    currency: str
    notes: str | None = None
    total: Money
    created_at: datetime
    cancelled_at: datetime | None = None


class Order(_OrderFields, Document):
    """An order as MongoDB keeps it, without its outbox, which only the relay reads."""

    class Settings:
        """The collection and its indexes."""

        name = "orders"
        indexes: Final = [
            OUTBOX_INDEX,
            IndexModel([("user_id", ASCENDING), ("_id", DESCENDING)], name="user_newest"),
            IndexModel([("status", ASCENDING), ("_id", DESCENDING)], name="status_newest"),
            IndexModel([("idempotency.key", ASCENDING)], name=IDEMPOTENCY_INDEX, unique=True, sparse=True),
        ]


class _Identified(BaseModel):
    """Comes first in the answer, because pydantic takes the fields of the last base first."""

    id: Annotated[str, Field(examples=["665f1c2ab1e4d3a7c9f0e812"])]


class OrderView(_OrderFields, _Identified):
    """An order as the API answers it."""

    @classmethod
    def of(cls, order: Order) -> Self:
        """The view of a stored order."""
        return cls(**{**dict(order), "id": str(order.id)})

    def as_placed(self) -> Self:
        """The view as it was first answered, whatever has become of the order since."""
        return self.model_copy(update={"status": OrderStatus.PLACED, "cancelled_at": None})
