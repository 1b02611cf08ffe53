"""A consumer that finds a backlog of 50,000 messages."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from bson import ObjectId

from benchmarks.harness.processes import Contender, ours, python
from benchmarks.harness.row import Row, alternate, row_of
from benchmarks.harness.testbed import Site
from orders_service.config.rabbit import ORDERS_QUEUE
from orders_service.events import order_created
from service_kit.clock import utc_now
from service_kit.messaging.broker import Outcome, OutgoingMessage
from service_kit.messaging.events import CLOUDEVENTS_JSON, encode_event
from service_kit.rabbit.publisher import RabbitPublisher

BACKLOG: Final = 50_000
_BATCH: Final = 500
_WORDS: Final = b"New order received: "


def measure(site: Site) -> Sequence[Row]:
    """Lines a second, from the first to the last."""
    url = site.rabbit.url
    contenders: dict[str, Callable[[], float]] = {
        "ours": _drain(site, ours(site.folder / "ours", "notifications_service", RABBITMQ_URL=url)),
        "FastStream": _drain(
            site, python(site.folder / "faststream", "benchmarks.peers.faststream_consumer", RABBITMQ_URL=url)
        ),
    }
    return [row_of("draining", "lines/s", alternate(contenders, site.rounds, site.say), {"FastStream": 1.0})]


def _drain(site: Site, consumer: Contender) -> Callable[[], float]:
    def measure_once() -> float:
        site.empty_queue()
        asyncio.run(_fill(site.rabbit.url))
        with consumer:
            return _lines_a_second(consumer)

    return measure_once


async def _fill(url: str) -> None:
    publisher = RabbitPublisher(url, "benchmarks", [ORDERS_QUEUE])
    async with publisher.running():
        await publisher.connected()
        for _ in range(BACKLOG // _BATCH):
            outcomes = await publisher.publish([_message() for _ in range(_BATCH)])
            if set(outcomes) != {Outcome.CONFIRMED}:
                raise RuntimeError("RabbitMQ has not taken the backlog.")


def _message() -> OutgoingMessage:
    now = utc_now()
    event = order_created(str(ObjectId()), None, total=59, currency="EUR", at=now)  # type: ignore[arg-type]  # only shown
    return OutgoingMessage(event.id, event.type, encode_event(event), CLOUDEVENTS_JSON)


def _lines_a_second(consumer: Contender) -> float:
    count, began, deadline, rest = 0, 0.0, time.monotonic() + 120, b""
    with consumer.log.open("rb") as output:
        while count < BACKLOG:
            *lines, rest = (rest + output.read()).split(b"\n")  # a read may end in the middle of a line
            count += sum(_WORDS in line for line in lines)
            began = began or (time.monotonic() if count else 0.0)
            if time.monotonic() > deadline:
                raise RuntimeError(f"{count} of {BACKLOG} lines after two minutes; {consumer.log} says why.")
            time.sleep(0.02)
    return BACKLOG / (time.monotonic() - began)
