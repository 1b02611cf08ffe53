import asyncio
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import pytest

from dev_stack.ports import answers, free_port
from dev_stack.servers.rabbitmq import RabbitNode


@pytest.fixture(scope="module")
def own_rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    with RabbitNode(tmp_path_factory.mktemp("rabbit"), free_port()) as node:
        yield node


async def test_finds_its_confirmed_messages_after_a_kill(own_rabbit: RabbitNode) -> None:
    async with await aio_pika.connect(own_rabbit.url) as connection:
        channel = await connection.channel()
        await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
        await channel.default_exchange.publish(
            aio_pika.Message(b"still here", delivery_mode=aio_pika.DeliveryMode.PERSISTENT), "kept"
        )
        await _until_remembered(own_rabbit, "kept")
    own_rabbit.kill()
    assert not own_rabbit.is_running
    own_rabbit.start()
    async with await aio_pika.connect(own_rabbit.url) as connection:
        queue = await (await connection.channel()).get_queue("kept")
        assert (await queue.get()).body == b"still here"


def test_its_process_is_the_erlang_machine_itself(own_rabbit: RabbitNode) -> None:
    assert Path(f"/proc/{own_rabbit.pid}/comm").read_text().strip() == "beam.smp"


def test_listens_on_this_machine_only(own_rabbit: RabbitNode) -> None:
    assert _addresses_listened_on(own_rabbit.pid) == {"127.0.0.1"}


def test_leaves_no_port_mapper_behind(tmp_path: Path) -> None:
    node = RabbitNode(tmp_path, free_port())
    node.spawn()
    mapper = node._epmd
    assert answers("127.0.0.1", mapper.port)
    node.kill()
    assert mapper.is_running
    node.stop()
    assert not mapper.is_running


async def _until_remembered(node: RabbitNode, queue: str) -> None:
    async with asyncio.timeout(10):
        while not node.remembers(queue):  # noqa: ASYNC110 - a foreign process sets no event of ours
            await asyncio.sleep(0.05)


def _addresses_listened_on(pid: int) -> set[str]:
    """Of one process, by the kernel's tables of IPv4 and IPv6 sockets (proc(5))."""
    links = [link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    inodes = {name.removeprefix("socket:[").rstrip("]") for name in links if name.startswith("socket:")}
    rows = [row.split() for family in ("tcp", "tcp6") for row in Path(f"/proc/net/{family}").read_text().splitlines()]
    listening = [row[1].split(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes]
    return {".".join(str(byte) for byte in reversed(bytes.fromhex(address))) for address in listening}
