"""What is to be read of the dead, and that reading changes nothing."""

import pytest

from dev_stack.servers.rabbitmq import RabbitNode
from service_kit.rabbit.settlement import DEAD_AT_HEADER
from tests.service_kit.commands.dead_letters.conftest import HEADERS, Command, bury, dead_ids, is_dead
from tests.service_kit.conftest import PythonRunner
from tests.support.rabbit_support import Queue, until


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


async def test_lists_as_a_process(run_python: PythonRunner, rabbit: RabbitNode, queue: Queue) -> None:
    await bury(queue, "m1")
    process = await run_python(
        "-m", "service_kit.commands.dead_letters", queue.topology.queue, "list", RABBITMQ_URL=rabbit.url
    )
    assert await process.ends() == 0
    assert process.lines[1:] == [f"1 dead in {queue.topology.queue}"]
