"""What people are told when a command cannot be carried out; never a password."""

import pytest

from dev_stack.ports import free_port
from dev_stack.servers.rabbitmq import RabbitNode
from tests.service_kit.commands.dead_letters.conftest import Command, bury, dead_ids
from tests.service_kit.conftest import PythonRunner
from tests.support.rabbit_support import Queue


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["replay", "m1", "m8", "m7"], "No dead letter with these ids: m7, m8. Run `list` to see the ids.\n"),
        (["discard", "m7"], "No dead letter with these ids: m7. Run `list` to see the ids.\n"),
        (["show", "m7"], "No dead letter with these ids: m7. Run `list` to see the ids.\n"),
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


@pytest.mark.parametrize("place", ["guest:s3cret@127.0.0.1:{away}/", "guest:s3cret@127.0.0.1:{there}/"])
async def test_says_in_one_line_without_the_password_that_the_broker_lets_nobody_in(
    run_python: PythonRunner, rabbit: RabbitNode, place: str
) -> None:
    url = "amqp://" + place.format(away=free_port(), there=rabbit.port)
    process = await run_python("-m", "service_kit.commands.dead_letters", "orders_queue", "list", RABBITMQ_URL=url)
    assert await process.ends() == 1
    (line,) = process.lines
    assert line.startswith("RabbitMQ cannot be reached; RABBITMQ_URL says where it is: ")
    assert "s3cret" not in line


@pytest.mark.parametrize("place", ["guest:s3cret#@127.0.0.1:5672/", "guest:s3cret@127.0.0.1:port/"])
async def test_says_in_one_line_without_the_password_that_the_address_cannot_be_read(
    run_python: PythonRunner, place: str
) -> None:
    url = f"amqp://{place}"
    process = await run_python("-m", "service_kit.commands.dead_letters", "orders_queue", "list", RABBITMQ_URL=url)
    assert await process.ends() != 0
    (line,) = process.lines
    assert "s3cret" not in line
