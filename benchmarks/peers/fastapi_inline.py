"""The first peer of orders_service: FastAPI, one Beanie insert and one awaited publish a request.

What a careful engineer writes from the manuals of FastAPI, Beanie and aio-pika, and nothing of this project's. It keeps
no outbox: an order that was stored before its publish failed has no event, and its caller a 500.

Run by `python -m benchmarks.peers.fastapi_inline`; benchmarks/peers/README.md names what it reads from its environment.
"""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import uuid4

import aio_pika
import uvicorn
from beanie import Document, init_beanie
from fastapi import FastAPI, HTTPException, Request, Response
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)
from pydantic_extra_types.currency_code import Currency

_VISIBLE: Final = r"[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]"
_AMOUNT: Final = re.compile(r"^[0-9]{1,10}(\.[0-9]{1,2})?$")


def _amount(value: Any) -> Any:  # noqa: ANN401 - whatever a request holds
    if isinstance(value, bool) or (isinstance(value, str) and not _AMOUNT.fullmatch(value)):
        raise ValueError("not an amount like 19.99")
    return value


def _number(value: Any) -> Any:  # noqa: ANN401 - whatever a request holds
    if isinstance(value, str | bool):
        raise ValueError("not a whole number")  # noqa: TRY004 - pydantic wants a ValueError
    return value


def _currency(code: str) -> str:
    if code not in Currency.allowed_currencies:
        raise ValueError("not a currency of ISO 4217")
    return code


AsText = PlainSerializer(lambda amount: f"{amount:.2f}", return_type=str, when_used="json")
Money = Annotated[Decimal, AsText]
Price = Annotated[
    Decimal,
    BeforeValidator(_amount),
    Field(ge=0, max_digits=12, decimal_places=2),
    AfterValidator(abs),  # JSON's -0.0
    AsText,
]


class Item(BaseModel):
    """One line of an order."""

    model_config = ConfigDict(extra="forbid")

    sku: Annotated[str, StringConstraints(max_length=64, pattern=rf"^{_VISIBLE}+$")]
    name: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=200, pattern=rf"^[^\x00]*{_VISIBLE}[^\x00]*$")
    ]
    quantity: Annotated[int, BeforeValidator(_number), Field(ge=1, le=1_000_000)]
    unit_price: Price


class NewOrder(BaseModel):
    """What a caller sends."""

    model_config = ConfigDict(extra="forbid")

    user_id: Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")] | None = None
    items: Annotated[list[Item], Field(min_length=1, max_length=100)]
    currency: Annotated[str, AfterValidator(_currency)]
    notes: Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")] | None = None


class Order(Document):
    """What MongoDB keeps."""

    status: Literal["placed", "cancelled"] = "placed"
    user_id: str | None
    items: list[Item]
    currency: str
    notes: str | None
    total: Money
    created_at: datetime
    cancelled_at: datetime | None = None

    class Settings:
        """The collection."""

        name = "orders"


class OrderView(BaseModel):
    """What is answered."""

    id: str
    status: Literal["placed", "cancelled"]
    user_id: str | None
    items: list[Item]
    currency: str
    notes: str | None
    total: Money
    created_at: datetime
    cancelled_at: datetime | None


class OrderCreated(BaseModel):
    """The data of the event."""

    order_id: str
    user_id: str | None
    total: Money
    currency: str
    created_at: datetime


class CloudEvent(BaseModel):
    """The envelope of the event."""

    id: str
    source: str = "/orders_service"
    type: str = "order.created"
    data: OrderCreated
    specversion: str = "1.0"
    datacontenttype: str = "application/json"
    time: datetime


def is_durable() -> bool:
    """Whether to wait for the journal and for the broker's confirm, as our service does (`DURABILITY`)."""
    return os.environ.get("DURABILITY", "same") != "usual"


def connect_to_mongodb() -> AsyncIOMotorClient[dict[str, Any]]:
    """The client; it connects on first use."""
    uri = os.environ["MONGODB_URI"]
    return AsyncIOMotorClient(uri, w="majority", journal=True) if is_durable() else AsyncIOMotorClient(uri)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open one client, one connection and one channel."""
    client = connect_to_mongodb()
    await init_beanie(database=client[os.environ.get("MONGODB_DATABASE", "peer")], document_models=[Order])
    connection = await aio_pika.connect_robust(os.environ["RABBITMQ_URL"])
    async with connection:
        channel = await connection.channel(publisher_confirms=is_durable(), on_return_raises=is_durable())
        app.state.client = client
        app.state.connection = connection
        app.state.mandatory = is_durable()
        app.state.events = await channel.declare_exchange("events", aio_pika.ExchangeType.TOPIC, durable=True)
        yield
    client.close()


app = FastAPI(title="orders peer", lifespan=lifespan)


@app.post("/orders", status_code=201)
async def place_order(new_order: NewOrder, request: Request, response: Response) -> OrderView:
    """Store the order, publish its event, answer."""
    now = datetime.now(UTC)
    order = Order(
        user_id=new_order.user_id,
        items=new_order.items,
        currency=new_order.currency,
        notes=new_order.notes,
        total=sum((item.unit_price * item.quantity for item in new_order.items), Decimal("0.00")),
        created_at=now.replace(microsecond=now.microsecond // 1000 * 1000),
    )
    await order.insert()
    await publish_created(order, request)
    response.headers["Location"] = f"/orders/{order.id}"
    return OrderView(**{**dict(order), "id": str(order.id)})


async def publish_created(order: Order, request: Request) -> None:
    """Publish `order.created`; returns when the broker has confirmed it, unless `DURABILITY=usual`."""
    event = CloudEvent(
        id=str(uuid4()),
        data=OrderCreated(
            order_id=str(order.id),
            user_id=order.user_id,
            total=order.total,
            currency=order.currency,
            created_at=order.created_at,
        ),
        time=order.created_at,
    )
    message = aio_pika.Message(
        event.model_dump_json().encode(),
        message_id=event.id,
        content_type="application/cloudevents+json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
    await request.app.state.events.publish(message, routing_key=event.type, mandatory=request.app.state.mandatory)


@app.get("/health/ready")
async def ready(request: Request) -> dict[str, str]:
    """Whether orders can be placed."""
    if not request.app.state.connection.connected.is_set():
        raise HTTPException(503)
    await request.app.state.client.admin.command("ping")
    return {"status": "ok"}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")), loop="uvloop", http="httptools")
