import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from dev_stack.ports import free_port
from dev_stack.servers.rabbitmq import RabbitNode
from tests.service_kit.conftest import PythonRunner
from tests.support.rabbit_support import Queue, thing_happened, until
from tests.support.running import Running
from tests.support.tcp_proxy import TcpProxy

WORK = """
import asyncio, os, sys
from pathlib import Path
from service_kit.rabbit.consumer import Consumer, ConsumerTimings
from service_kit.rabbit.topology import QueueTopology
from service_kit.settings.environment import load_settings
from service_kit.settings.process import ServiceSettings
from service_kit.runtime.worker import run_worker

async def handle(event):
    print("began", flush=True)
    while not Path("gate").exists():
        await asyncio.sleep(0.01)
    print("ended", flush=True)

name = os.environ["QUEUE"]
topology = QueueTopology(name, topics=(f"{name}.*",), retry_seconds=(1, 1, 1))
consumer = Consumer(os.environ["URL"], "tests", topology, handle, timings=ConsumerTimings(check_seconds=0.05))
"""
RUN = "run_worker(load_settings(ServiceSettings), [consumer])"
IS_NOT_FED = "consumer._check.queue = topology.retry_queue(1)  # which nobody consumes\n"


@dataclass
class Worker:
    """A worker as a process.

    Attributes:
        gate: While this file is not there, the handler waits before its effect.
    """

    running: Running
    port: int
    gate: Path

    async def get(self, path: str, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as client:
            return await client.get(path, headers=headers)

    async def is_ready(self) -> bool:
        return (await self.get("/health/ready")).status_code == 200

    def send(self, number: signal.Signals) -> None:
        self.running.process.send_signal(number)


WorkerMaker = Callable[..., Awaitable[Worker]]


@pytest.fixture
def work(run_python: PythonRunner, rabbit: RabbitNode, queue: Queue, tmp_path: Path) -> WorkerMaker:
    """Starts workers on the queue."""

    async def start(url: str = rabbit.url, *, prepare: str = "", port: int | None = None, **settings: str) -> Worker:
        port = port or free_port()
        settings |= {"QUEUE": queue.topology.queue, "URL": url, "PORT": str(port)}
        running = await run_python("-c", f"{WORK}{prepare}{RUN}", **settings)
        return Worker(running, port, tmp_path / "gate")

    return start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_finishes_the_message_in_hand_and_leaves_the_others_when_told_to_stop(
    work: WorkerMaker, queue: Queue, number: signal.Signals
) -> None:
    await queue.put_events(thing_happened("in hand"), thing_happened("waiting"))
    worker = await work()
    await worker.running.says("began")
    worker.send(number)
    worker.gate.touch()
    assert await worker.running.ends() == 0
    assert [line for line in worker.running.lines if line in {"began", "ended"}] == ["began", "ended"]

    async def holds_the_other() -> bool:
        return await queue.count() == 1

    await until(holds_the_other)
    assert await queue.count_dead() == 0


async def test_does_not_end_before_the_message_in_hand(work: WorkerMaker, queue: Queue) -> None:
    await queue.put_events(thing_happened())
    worker = await work()
    await worker.running.says("began")
    worker.send(signal.SIGTERM)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(worker.running.process.wait(), 0.3)
    worker.gate.touch()
    assert await worker.running.ends() == 0


async def test_ends_at_once_when_it_is_idle_and_says_so(work: WorkerMaker) -> None:
    worker = await work()
    await worker.running.says("consuming")
    worker.send(signal.SIGTERM)
    assert await worker.running.ends() == 0
    assert "stopped" in worker.running.lines[-1]


async def test_answers_for_its_health(work: WorkerMaker) -> None:
    worker = await work()
    await worker.running.says("consuming")
    live, ready = await worker.get("/health/live"), await worker.get("/health/ready")
    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ok", "checks": {"rabbitmq": "ok"}})


async def test_leads_a_visitor_to_its_health(work: WorkerMaker) -> None:
    worker = await work()
    await worker.running.says("consuming")
    home, icon = await worker.get("/"), await worker.get("/favicon.ico")
    assert (home.status_code, home.headers["Location"]) == (307, "/health/ready")
    assert (icon.status_code, icon.headers["Content-Type"]) == (200, "image/x-icon")


async def test_keeps_its_metrics_for_who_has_the_key(work: WorkerMaker) -> None:
    worker = await work(METRICS_KEY="geheim")
    await worker.running.says("consuming")
    refused, read = await worker.get("/metrics"), await worker.get("/metrics", Authorization="Bearer geheim")
    assert (refused.status_code, read.status_code) == (401, 200)
    assert refused.json()["type"] == "urn:problem-type:metrics-key-required"
    assert refused.json()["request_id"]


async def test_counts_what_it_has_consumed(work: WorkerMaker, queue: Queue) -> None:
    await queue.put_events(thing_happened())
    worker = await work()
    worker.gate.touch()
    await worker.running.says("ended")
    counted = f'messages_consumed_total{{outcome="handled",queue="{queue.topology.queue}"}} 1.0'

    async def is_counted() -> bool:
        return counted in (await worker.get("/metrics")).text

    await until(is_counted)


async def test_is_alive_but_not_ready_while_the_broker_is_away(work: WorkerMaker, rabbit: RabbitNode) -> None:
    async with TcpProxy(rabbit.url) as proxy:
        await proxy.disconnect()
        worker = await work(proxy.url)
        await worker.running.says("waits for RabbitMQ")
        assert (await worker.get("/health/live")).status_code == 200
        ready = await worker.get("/health/ready")
        assert (ready.status_code, ready.json()["checks"]) == (503, {"rabbitmq": "ConnectionError"})
        await proxy.restore()
        await until(worker.is_ready)


async def test_a_consumer_that_is_lost_ends_the_process_with_70(work: WorkerMaker) -> None:
    worker = await work(prepare=IS_NOT_FED)
    assert await worker.running.ends() == 70
    assert any("consumer_lost" in line for line in worker.running.lines)


async def test_says_in_one_line_that_its_port_is_taken(work: WorkerMaker, rabbit: RabbitNode) -> None:
    worker = await work(port=rabbit.port)
    assert await worker.running.ends() == 1
    assert worker.running.lines[-1].startswith(f"Cannot listen on port {rabbit.port} of 127.0.0.1: ")
