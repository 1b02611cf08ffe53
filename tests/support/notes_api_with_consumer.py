"""The notes API with a consumer: `python -m service_kit.runtime.serve tests.support.notes_api_with_consumer:app`."""

import asyncio
import os
from pathlib import Path

from service_kit.api.app import create_app
from service_kit.messaging.events import Event
from service_kit.rabbit.consumer import ConsumerTimings
from service_kit.rabbit.topology import QueueTopology
from service_kit.runtime.background_consumer import BackgroundConsumer
from service_kit.settings.environment import load_settings
from tests.support import notes_api
from tests.support.notes_api import NotesSettings
from tests.support.resources import NotedResource


async def handle(_event: Event) -> None:
    print("began", flush=True)
    while not Path("gate").exists():  # noqa: ASYNC110, ASYNC240 - what it waits for tells nobody
        await asyncio.sleep(0.01)
    print("ended", flush=True)


name = os.environ["QUEUE"]
topology = QueueTopology(name, topics=(f"{name}.*",), retry_seconds=(1, 1, 1))
consumer = BackgroundConsumer(os.environ["URL"], "tests", topology, handle, timings=ConsumerTimings(check_seconds=0.05))
if "LOST" in os.environ:
    consumer._check.queue = topology.retry_queue(1)  # which nobody consumes


class PrintedNotes(list[str]):
    """Prints what is noted in it."""

    def append(self, note: str) -> None:
        print(note, flush=True)


app = create_app(
    load_settings(NotesSettings),
    description="Notes.",
    routers=[notes_api.router],
    resources=[NotedResource("the first", PrintedNotes()), consumer],
)


@app.get("/slow")
async def slow() -> str:
    print("asked", flush=True)
    await asyncio.sleep(0.5)
    return "done"
