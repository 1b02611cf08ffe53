"""Letters that are put back or thrown away, and the others, which stay as they are."""

import pytest

from service_kit.rabbit.subscription import ATTEMPTS_HEADER
from tests.service_kit.commands.dead_letters.conftest import HEADERS, Command, bury, dead_ids, ids_in, is_dead
from tests.support.rabbit_support import Queue, until


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


@pytest.mark.parametrize(
    "id_", ["-m1", "--all", "two words", "carriage\rreturn", "\x1b[2K", "tab\there", "día"], ids=ascii
)
async def test_takes_an_id_as_the_list_shows_it(command: Command, queue: Queue, id_: str) -> None:
    await bury(queue, "m1", id_)
    shown = next(
        line.partition("  ")[0]
        for line in (await command("list")).stdout.splitlines()
        if not line.startswith(("m1", "2 "))
    )
    assert shown in (await command("show", "--", shown)).stdout
    discarded = await command("discard", "--", shown)
    assert discarded.stdout == f"discarded: {shown}\n1 discarded\n"
    assert await dead_ids(queue, 1) == ["m1"]


async def test_an_id_may_begin_with_a_dash(command: Command, queue: Queue) -> None:
    await bury(queue, "-m1")
    assert (await command("discard", "-m1")).stdout == "discarded: -m1\n1 discarded\n"


async def test_puts_a_letter_back_with_what_it_came_with(command: Command, queue: Queue) -> None:
    await queue.put(
        b"body",
        into=queue.topology.dead_queue,
        message_id="m1",
        correlation_id="c1",
        app_id="shop",
        headers=HEADERS | {"tenant": "north", "x-death": [{"queue": queue.topology.queue, "reason": "expired"}]},
    )
    assert (await command("replay", "m1")).exit_code == 0
    properties = (await queue.take()).header.properties
    assert (properties.correlation_id, properties.app_id) == ("c1", "shop")
    assert (properties.headers or {}).keys() - {"x-delivery-count"} == {"tenant", "x-original-x-death"}
