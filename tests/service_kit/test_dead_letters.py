import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from dev_stack.ports import free_port
from dev_stack.rabbit_node import RabbitNode
from service_kit import dead_letter_queue as dead_letter_queue_module
from service_kit.dead_letter_queue import opened
from service_kit.dead_letters import app
from service_kit.deliveries import ATTEMPTS_HEADER, Subscription
from service_kit.rabbit_connection import BROKER_ERRORS
from service_kit.rabbit_publisher import RabbitPublisher
from service_kit.settlement import DEAD_AT_HEADER, REASON_HEADER
from tests.service_kit.conftest import PythonRunner
from tests.service_kit.stage import Cable, Queue, own_queue, until

HEADERS = {ATTEMPTS_HEADER: 4, DEAD_AT_HEADER: "2026-01-01T10:00:00+00:00", REASON_HEADER: "no\nstore"}  # sorted

Command = Callable[..., Awaitable[Result]]


@pytest.fixture
async def queue(rabbit: RabbitNode) -> AsyncIterator[Queue]:
    async with own_queue(rabbit.url) as queue:
        yield queue


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


# Reading


async def test_lists_each_letter_with_its_reason_and_its_attempts(command: Command, queue: Queue) -> None:
    await bury(queue, "m1")
    result = await command("list")
    assert result.stdout == (
        f"m1  since 2026-01-01T10:00:00+00:00  attempts 4  no\\nstore\n1 dead in {queue.topology.queue}\n"
    )


async def test_lists_the_oldest_first(command: Command, queue: Queue) -> None:
    for day in (2, 3, 1):
        await bury(queue, f"m{day}", **{DEAD_AT_HEADER: f"2026-01-0{day}T10:00:00+00:00"})
    result = await command("list")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["m1", "m2", "m3", "3"]


async def test_knows_why_the_broker_itself_has_buried_a_message(command: Command, queue: Queue) -> None:
    await queue.put(b"body", message_id="m1")
    message = await queue.underlay.basic_get(queue.topology.queue)
    await queue.underlay.basic_reject(message.delivery_tag or 0, requeue=False)
    await until(lambda: is_dead(queue))
    assert (await command("list")).stdout.startswith("m1  since unknown  attempts 0  rejected\n")


async def is_dead(queue: Queue) -> bool:
    return await queue.count_dead() == 1


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["list"], "0 dead in "),
        (["show"], ""),
        (["replay", "--all"], "0 replayed\n"),
        (["discard", "--all"], "0 discarded\n"),
    ],
)
async def test_an_empty_queue_is_no_mistake(command: Command, arguments: list[str], answer: str) -> None:
    result = await command(*arguments)
    assert (result.exit_code, result.stdout.startswith(answer), result.stdout.count("\n")) == (0, True, bool(answer))


async def test_shows_a_letter_whole(command: Command, queue: Queue) -> None:
    await bury(queue, "m1", "m2")
    assert (await command("show", "m2")).stdout == f"m2\n  headers: {HEADERS}\n  body: body of m2\n"


async def test_shows_bytes_that_are_no_text(command: Command, queue: Queue) -> None:
    await queue.put(b"\xff{", into=queue.topology.dead_queue, message_id="m1")
    assert (await command("show")).stdout == "m1\n  headers: {}\n  body: \\xff{\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["show"],
        ["show", "m2"],
        ["replay", "--all", "--dry-run"],
        ["replay", "m2", "--dry-run"],
        ["discard", "--all", "--dry-run"],
    ],
    ids=" ".join,
)
async def test_reading_changes_neither_the_letters_nor_their_order(
    command: Command, queue: Queue, arguments: list[str]
) -> None:
    await bury(queue, "m1", "m2", "m3")
    assert (await command(*arguments)).exit_code == 0
    assert await dead_ids(queue, 3) == ["m1", "m2", "m3"]
    assert await queue.count() == 0


@pytest.mark.parametrize("verb", ["replay", "discard"])
async def test_a_dry_run_says_what_would_be_done(command: Command, queue: Queue, verb: str) -> None:
    await bury(queue, "m1", "m2")
    done = f"would be {verb}ed"
    result = await command(verb, "m2", "--dry-run")
    assert result.stdout == f"{done}: m2\n1 {done}\n"


# Settling


async def test_puts_a_letter_back_with_its_attempts_forgotten(command: Command, queue: Queue) -> None:
    await bury(queue, "m1", "m2", "m3")
    assert (await command("replay", "m2")).stdout == "replayed: m2\n1 replayed\n"
    message = await queue.take()
    assert (message.body, message.header.properties.message_id) == (b"body of m2", "m2")
    assert ATTEMPTS_HEADER not in (message.header.properties.headers or {})


async def test_leaves_the_others_in_their_order(command: Command, queue: Queue) -> None:
    await bury(queue, "m1", "m2", "m3", "m4")
    await command("replay", "m1")
    await command("discard", "m3")
    assert await dead_ids(queue, 2) == ["m2", "m4"]


async def test_puts_all_back_in_their_order(command: Command, queue: Queue) -> None:
    ids = [f"m{number:03}" for number in range(300)]
    await bury(queue, *ids)
    assert (await command("replay", "--all")).exit_code == 0
    assert await ids_in(queue, queue.topology.queue, 300) == ids
    assert await dead_ids(queue, 0) == []


async def test_throws_away_what_is_named_and_nothing_else(command: Command, queue: Queue) -> None:
    await bury(queue, "m1", "m2", "m3")
    assert (await command("discard", "m3", "m1")).stdout == "discarded: m1\ndiscarded: m3\n2 discarded\n"
    assert await dead_ids(queue, 1) == ["m2"]
    assert await queue.count() == 0


async def test_a_message_without_an_id_is_named_by_its_body(command: Command, queue: Queue) -> None:
    await queue.put(b"\xff\x00", into=queue.topology.dead_queue)
    name = (await command("list")).stdout.split()[0]
    assert (await command("replay", name)).exit_code == 0
    assert (await queue.take()).body == b"\xff\x00"


async def test_letters_of_the_same_id_are_put_back_one_a_run(command: Command, queue: Queue) -> None:
    await bury(queue, "m1", "m1")
    first = await command("replay", "--all")
    assert (first.exit_code, first.output) == (1, "1 of 2 stay where they are. Try again; `list` shows which.\n")
    await until(lambda: is_dead(queue))
    assert (await command("replay", "--all")).exit_code == 0
    assert await ids_in(queue, queue.topology.queue, 2) == ["m1", "m1"]


# What goes wrong


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["replay", "m1", "m8", "m7"], "Not among the dead: m7, m8. `list` shows who is.\n"),
        (["discard", "m7"], "Not among the dead: m7. `list` shows who is.\n"),
        (["show", "m7"], "Not among the dead: m7. `list` shows who is.\n"),
        (["replay"], "Name the messages by their ids, or say --all.\n"),
        (["discard"], "Name the messages by their ids, or say --all.\n"),
        (["discard", "m1", "--all"], "Name the messages by their ids, or say --all; not both.\n"),
    ],
)
async def test_does_nothing_when_it_is_not_clear_to_whom(
    command: Command, queue: Queue, arguments: list[str], sentence: str
) -> None:
    await bury(queue, "m1")
    result = await command(*arguments)
    assert (result.exit_code, result.output) == (1, sentence)
    assert await dead_ids(queue, 1) == ["m1"]


@pytest.mark.parametrize("arguments", [["list"], ["replay", "--all"], ["discard", "m1"]], ids=" ".join)
async def test_names_a_queue_that_is_not_there(command: Command, arguments: list[str]) -> None:
    result = await command(*arguments, on="nobodys_queue")
    assert (result.exit_code, result.output) == (1, "There is no queue 'nobodys_queue.dead' on this broker.\n")


async def test_keeps_a_letter_whose_queue_is_gone(command: Command, queue: Queue) -> None:
    await bury(queue, "m1")
    await queue.delete()
    result = await command("replay", "m1")
    assert (result.exit_code, result.output) == (1, "1 of 1 stay where they are. Try again; `list` shows which.\n")
    assert await dead_ids(queue, 1) == ["m1"]


async def test_lists_as_a_process(run_python: PythonRunner, rabbit: RabbitNode, queue: Queue) -> None:
    await bury(queue, "m1")
    process = await run_python("-m", "service_kit.dead_letters", queue.topology.queue, "list", RABBITMQ_URL=rabbit.url)
    assert await process.ends() == 0
    assert process.lines[1:] == [f"1 dead in {queue.topology.queue}"]


@pytest.mark.parametrize("place", ["guest:s3cret@127.0.0.1:{away}/", "guest:s3cret@127.0.0.1:{there}/"])
async def test_says_in_one_line_without_the_password_that_the_broker_lets_nobody_in(
    run_python: PythonRunner, rabbit: RabbitNode, place: str
) -> None:
    url = "amqp://" + place.format(away=free_port(), there=rabbit.port)
    process = await run_python("-m", "service_kit.dead_letters", "orders_queue", "list", RABBITMQ_URL=url)
    assert await process.ends() == 1
    (line,) = process.lines
    assert line.startswith("RabbitMQ cannot be reached; RABBITMQ_URL says where it is: ")
    assert "s3cret" not in line


@pytest.mark.parametrize("place", ["guest:s3cret#@127.0.0.1:5672/", "guest:s3cret@127.0.0.1:port/"])
async def test_says_in_one_line_without_the_password_that_the_address_cannot_be_read(
    run_python: PythonRunner, place: str
) -> None:
    url = f"amqp://{place}"
    process = await run_python("-m", "service_kit.dead_letters", "orders_queue", "list", RABBITMQ_URL=url)
    assert await process.ends() != 0
    (line,) = process.lines
    assert "s3cret" not in line


async def test_says_that_the_connection_has_ended_before_all_was_read(
    rabbit: RabbitNode, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letter_queue_module, "_READ_SECONDS", 0.2)
    for _ in range(50):
        await queue.put(b"x" * 500_000, into=queue.topology.dead_queue)
    begin = Subscription.begin
    async with Cable(rabbit.url) as cable:

        async def begin_and_end(subscription: Subscription, prefetch: int) -> None:
            await begin(subscription, prefetch)
            await cable.cut()

        monkeypatch.setattr(Subscription, "begin", begin_and_end)
        async with opened(cable.url, queue.topology.queue) as dead:
            with pytest.raises(BROKER_ERRORS):
                await dead.letters()


async def test_loses_nothing_when_the_connection_ends_before_a_letter_is_thrown_away(
    rabbit: RabbitNode, queue: Queue
) -> None:
    await bury(queue, "m1", "m2")
    async with Cable(rabbit.url) as cable, opened(cable.url, queue.topology.queue) as dead:
        letters = await dead.letters()
        await cable.cut()
        with pytest.raises(BROKER_ERRORS):
            await dead.discard(letters)
    assert await dead_ids(queue, 2) == ["m1", "m2"]


async def test_has_a_letter_twice_rather_than_never_when_the_connection_ends_while_it_is_put_back(
    rabbit: RabbitNode, queue: Queue
) -> None:
    await bury(queue, "m1")
    publisher = RabbitPublisher(rabbit.url, "tests", topologies=[])
    async with Cable(rabbit.url) as cable, opened(cable.url, queue.topology.queue) as dead, publisher.opened():
        await publisher.connected()
        letters = await dead.letters()
        await cable.cut()
        with pytest.raises(BROKER_ERRORS):
            await dead.replay(letters, publisher)
    assert await dead_ids(queue, 1) == ["m1"]
    assert await ids_in(queue, queue.topology.queue, 1) == ["m1"]
