"""A consumer inside of an API's process, for a service that both answers requests and hears events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette

from service_kit.rabbit.consumer import Consumer
from service_kit.rabbit.liveness import LOST_STATUS
from service_kit.runtime.serve import end_process

log = structlog.get_logger()


@asynccontextmanager
async def consuming(app: Starlette, consumer: Consumer) -> AsyncIterator[None]:
    """Consume while the block runs, then finish the message in hand.

    A consumer that is lost takes the process with it, status 70, after the requests in hand: the platform starts a
    new one.
    """
    stop = asyncio.Event()

    def tell(running: "asyncio.Task[None]") -> None:
        if not running.cancelled() and (error := running.exception()):
            log.error("consumer_lost", exc_info=error)
            end_process(app, LOST_STATUS)

    running = asyncio.create_task(consumer.run(stop))
    running.add_done_callback(tell)
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait({running})
