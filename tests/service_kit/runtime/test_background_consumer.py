import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from dev_stack.ports import free_port
from dev_stack.servers.rabbitmq import RabbitNode
from tests.service_kit.conftest import PythonRunner
from tests.support.rabbit_support import Queue, thing_happened, until
from tests.support.running import Running

ServiceMaker = Callable[..., Awaitable[tuple[Running, httpx.AsyncClient]]]


@pytest.fixture
async def serve(run_python: PythonRunner, rabbit: RabbitNode, queue: Queue) -> AsyncIterator[ServiceMaker]:
    """Starts an API that consumes the queue."""
    async with httpx.AsyncClient() as client:

        async def start(**environment: str) -> tuple[Running, httpx.AsyncClient]:
            port = free_port()
            client.base_url = httpx.URL(f"http://127.0.0.1:{port}")
            variables = {"QUEUE": queue.topology.queue, "URL": rabbit.url, "PORT": str(port), **environment}
            app = ("-m", "service_kit.runtime.serve", "tests.support.notes_api_with_consumer:app")
            return await run_python(*app, **variables), client

        yield start


async def test_answers_and_hears(serve: ServiceMaker, queue: Queue, tmp_path: Path) -> None:
    (tmp_path / "gate").touch()
    running, client = await serve()
    await running.says("consuming")
    assert (await client.get("/notes/count")).json() == 0
    await queue.put_events(thing_happened())
    await running.says("ended")

    async def is_empty() -> bool:
        return await queue.count() == 0

    await until(is_empty)


async def test_finishes_the_message_in_hand_when_told_to_stop(
    serve: ServiceMaker, queue: Queue, tmp_path: Path
) -> None:
    running, _ = await serve()
    await queue.put_events(thing_happened("in hand"), thing_happened("waiting"))
    await running.says("began")
    running.process.send_signal(signal.SIGTERM)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(running.process.wait(), 0.3)
    (tmp_path / "gate").touch()
    assert await running.ends() == 0
    assert [line for line in running.lines if line in {"began", "ended", "the first stops"}] == [
        "began",
        "ended",
        "the first stops",
    ]

    async def holds_the_other() -> bool:
        return await queue.count() == 1

    await until(holds_the_other)


async def test_a_consumer_that_is_lost_ends_the_process_with_70_after_the_requests_in_hand(
    serve: ServiceMaker, queue: Queue
) -> None:
    del queue
    running, client = await serve(LOST="1")
    await running.says("listening")

    async def asks() -> httpx.Response:
        while True:
            try:
                return await client.get("/slow")
            except httpx.ConnectError:
                await asyncio.sleep(0.005)

    answer = asyncio.create_task(asks())
    assert await running.ends() == 70
    assert any("consumer_lost" in line for line in running.lines)
    assert "the first stops" in running.lines
    if "asked" in running.lines:
        assert (await answer).json() == "done"
    answer.cancel()


async def test_is_ready_also_while_the_broker_is_away(serve: ServiceMaker) -> None:
    running, client = await serve(URL=f"amqp://guest:guest@127.0.0.1:{free_port()}/")
    await running.says("waits for RabbitMQ")
    ready = await client.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]) == (200, {"consumer": "ConnectionError"})
    running.process.send_signal(signal.SIGTERM)
    assert await running.ends() == 0
