"""The command in this process, on a queue of the test's own, and letters in its dead queue."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from dev_stack.servers.rabbitmq import RabbitNode
from service_kit.commands.dead_letters import app
from service_kit.rabbit.settlement import DEAD_AT_HEADER, REASON_HEADER
from service_kit.rabbit.subscription import ATTEMPTS_HEADER
from tests.support.rabbit_support import Queue, until

HEADERS = {ATTEMPTS_HEADER: 4, DEAD_AT_HEADER: "2026-01-01T10:00:00+00:00", REASON_HEADER: "no\nstore"}  # sorted

Command = Callable[..., Awaitable[Result]]


@pytest.fixture
def quiet() -> Iterator[None]:
    """Takes back that the command silences its process."""
    before = structlog.get_config()
    yield
    logging.disable(logging.NOTSET)
    structlog.configure(**before)


@pytest.fixture
def command(
    clean_environment: None,  # noqa: ARG001 - asked for what it does
    quiet: None,  # noqa: ARG001 - the same
    monkeypatch: pytest.MonkeyPatch,
    rabbit: RabbitNode,
    queue: Queue,
) -> Command:
    """Runs the command in this process, on the test's own queue."""
    monkeypatch.setenv("RABBITMQ_URL", rabbit.url)

    async def run(*arguments: str, on: str = queue.topology.queue) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, [on, *arguments])

    return run


async def bury(queue: Queue, *ids: str, **headers: Any) -> None:  # noqa: ANN401 - as AMQP
    for id_ in ids:
        await queue.put(
            f"body of {id_}".encode(), into=queue.topology.dead_queue, message_id=id_, headers=HEADERS | headers
        )


async def ids_in(queue: Queue, name: str, count: int) -> list[str | None]:
    """Take so many messages out, in their order; there must be no more of them."""

    async def are_back() -> bool:
        return await queue.count(name) == count

    await until(are_back)
    return [(await queue.take(name)).header.properties.message_id for _ in range(count)]


async def dead_ids(queue: Queue, count: int) -> list[str | None]:
    return await ids_in(queue, queue.topology.dead_queue, count)


async def is_dead(queue: Queue) -> bool:
    return await queue.count_dead() == 1
