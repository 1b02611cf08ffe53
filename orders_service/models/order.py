"""An order: as a caller sends it, as MongoDB keeps it, as the API answers it."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from beanie import Document
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict
from pymongo import ASCENDING, DESCENDING, IndexModel

from service_kit.fields.characters import VISIBLE, text_without, visible_text_without
from service_kit.fields.currency import CurrencyCode
from service_kit.fields.money import Money, Price
from service_kit.fields.text import TextPattern
from service_kit.mongo.decimals import FROM_DECIMAL128
from service_kit.mongo.duplicates import Settlement
from service_kit.mongo.outbox import OUTBOX_INDEX

IDEMPOTENCY_INDEX: Final = "idempotency_of_caller"
FORMER_IDEMPOTENCY_INDEX: Final = "idempotency_key"
"""The index of an earlier version, whose keys belonged to no caller. While it exists, a key of one caller is taken for
all callers, so retries of orders from before the update find them."""
KEYS_OF_NOBODY: Final = (
    "It lets retries of orders from before the update find them, and one key is taken for all callers. "
    "When no such retry can come any more, `python -m orders_service.init_db drop-former` drops it."
)
KEYS_TAKEN_OFF: Final = Settlement(
    {"$rename": {"idempotency": "idempotency_repeated"}},
    "still accepted, but without their key, which they keep as `idempotency_repeated`",
)
"""What becomes of orders whose key an older order has: a retry then finds the oldest."""

StoredMoney = Annotated[Money, FROM_DECIMAL128]

_MAX_ITEMS: Final = 100
_NUL: Final = r"\x00"
_CONTROLS: Final = r"\x01-\x1f\x7f-\x9f\u2028\u2029"


class OrderStatus(StrEnum):
    """Where an order stands."""

    PLACED = "placed"
    CANCELLED = "cancelled"


def _number(value: Any) -> Any:  # noqa: ANN401 - whatever a request holds
    if isinstance(value, str | bool):
        raise ValueError("A quantity is a whole number, without quotes")  # noqa: TRY004 - pydantic wants a ValueError
    return value


class OrderItem(BaseModel):
    """One line of an order."""

    sku: str
    name: str
    quantity: int
    unit_price: StoredMoney


class NewItem(OrderItem):
    """One line of an order, as a caller sends it."""

    model_config = ConfigDict(extra="forbid")

    sku: Annotated[
        str,
        Field(max_length=64),
        TextPattern(rf"^{VISIBLE}+$", "Write an article number without blanks and invisible characters"),
    ]
    name: Annotated[
        str,
        Field(max_length=200),
        TextPattern(
            rf"^{visible_text_without(_NUL, among=_CONTROLS)}$",
            "Write at least one visible character, and neither NUL nor invisible ones",
        ),
        AfterValidator(str.strip),
    ]
    quantity: Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_number)]
    unit_price: Annotated[
        Price, Field(description="In the order's currency, with at most two decimals; a string keeps it exact.")
    ]


UserId = Annotated[
    str,
    Field(max_length=64),
    TextPattern(r"^[A-Za-z0-9_.:-]+$", "An id consists of letters, digits and the signs . : _ -"),
]

Notes = Annotated[
    str,
    Field(max_length=1000),
    TextPattern(rf"^{text_without(_NUL)}$", "Leave the character NUL out, and invisible ones"),
]

_EXAMPLE: Final[JsonDict] = {
    "user_id": "665f1c2ab1e4d3a7c9f0e811",
    "items": [{"sku": "MUG-01", "name": "Coffee mug", "quantity": 3, "unit_price": "19.99"}],
    "currency": "EUR",
    "notes": "Ring twice",
}


class NewOrder(BaseModel):
    """What a caller sends to place an order."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    user_id: Annotated[UserId | None, Field(description="Who orders; user_service's id, or any other name.")] = None
    items: Annotated[list[NewItem], Field(min_length=1, max_length=_MAX_ITEMS)]
    currency: CurrencyCode
    notes: Notes | None = None

    @property
    def total(self) -> Decimal:
        """The sum of all lines, exact: at most 20 digits, of which Decimal128 takes 34."""
        return sum((item.unit_price * item.quantity for item in self.items), Decimal("0.00"))


class _OrderFields(BaseModel):
    """What an order is, wherever it stands. Without the rules for a new one: what is stored can always be read."""

    status: OrderStatus
    user_id: str | None = None
    items: list[OrderItem]
    currency: str
    notes: str | None = None
    total: StoredMoney
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
            IndexModel(
                [("idempotency.key", ASCENDING), ("idempotency.caller", ASCENDING)],
                name=IDEMPOTENCY_INDEX,
                unique=True,
                sparse=True,
            ),
        ]


class _Identified(BaseModel):
    """Comes first in the answer, because pydantic takes the fields of the last base first."""

    id: str


class OrderView(_OrderFields, _Identified):
    """An order as the API answers it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "665f1c2ab1e4d3a7c9f0e812",
                    "status": "placed",
                    **_EXAMPLE,
                    "total": "59.97",
                    "created_at": "2026-11-20T10:00:00.123000Z",
                    "cancelled_at": None,
                }
            ]
        }
    )

    @classmethod
    def of(cls, order: Order) -> Self:
        """The view of a stored order."""
        return cls(**{**dict(order), "id": str(order.id)})

    def as_placed(self) -> Self:
        """The view as it was first answered, whatever has become of the order since."""
        return self.model_copy(update={"status": OrderStatus.PLACED, "cancelled_at": None})
