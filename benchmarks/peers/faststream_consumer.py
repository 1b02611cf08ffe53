"""The peer of notifications_service: FastStream's RabbitBroker with a typed handler that prints the same line.

FastStream 0.7 decodes `application/json` by itself and leaves `application/cloudevents+json` as bytes, so it is given a
decoder, as its manual describes. `apply_types=False` leaves out dependency injection: the decoder's object goes to the
handler as it is. With injection, on pydantic or on msgspec, it is about as fast.

Run by `python -m benchmarks.peers.faststream_consumer`; benchmarks/peers/README.md names what it reads from its
environment.
"""

import os

import msgspec
import uvicorn
from faststream import AckPolicy
from faststream.asgi import AsgiFastStream, AsgiResponse, get
from faststream.asgi.types import Scope
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from faststream.rabbit.message import RabbitMessage


class OrderRef(msgspec.Struct, frozen=True):
    """The data of any event about an order, as far as it is needed here."""

    order_id: str


class OrderEvent(msgspec.Struct, frozen=True):
    """The envelope, as far as it is needed here."""

    id: str
    source: str
    type: str
    data: OrderRef


_decoder = msgspec.json.Decoder(OrderEvent)


async def decode_event(message: RabbitMessage) -> OrderEvent:
    """The body as an event; what is none raises, and is rejected."""
    return _decoder.decode(message.body)


broker = RabbitBroker(
    os.environ.get("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/"),
    default_channel=Channel(prefetch_count=100),
    decoder=decode_event,
    apply_types=False,
    logger=None,  # by default two lines a message
)


@broker.subscriber(RabbitQueue("orders_queue", declare=False), ack_policy=AckPolicy.NACK_ON_ERROR, no_reply=True)
async def announce(event: OrderEvent) -> None:
    """Print one line an order; the message is acknowledged when this returns."""
    if event.type == "order.created":
        print(f"New order received: {event.data.order_id}", flush=True)
    elif event.type == "order.cancelled":
        print(f"Order cancelled: {event.data.order_id}", flush=True)


@get
async def ready(_scope: Scope) -> AsgiResponse:
    """Whether it is connected."""
    return AsgiResponse(b"ok", 200) if await broker.ping(timeout=5.0) else AsgiResponse(b"not connected", 503)


app = AsgiFastStream(broker, logger=None, asgi_routes=[("/health/ready", ready)])

if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ.get("PORT", "8000")),
        loop="uvloop",
        http="httptools",
        access_log=False,
    )
