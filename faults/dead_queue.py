"""Ten thousand messages that nobody can read: they stop nobody, and the command line can deal with them."""

import asyncio
import os
import sys
import time
from typing import Final

import aio_pika

from faults.servers import until
from faults.session import trial
from faults.testbed import Site
from faults.verdict import Verdict
from orders_service.config.rabbit import ORDERS_QUEUE
from tests.support.system import ROOT

_MESSAGES: Final = 10_000
_PATIENCE_SECONDS: Final = 300


async def dead_queue(*, seed: int, seconds: float, rate: float) -> Verdict:
    """A stranger sends 10,000 messages of garbage to `orders_queue`; they are listed and replayed."""
    async with trial("dead_queue", seed=seed, rate=rate) as current:
        site = current.site
        await asyncio.sleep(seconds / 2)
        began = time.monotonic()
        await _send_garbage(site)
        sent = time.monotonic() - began
        await until(lambda: _are_dead(site), _PATIENCE_SECONDS)
        buried = time.monotonic() - began
        listing = await _timed(site, "list")
        replaying = await _timed(site, "replay", "--all")
        await until(lambda: _are_dead(site), _PATIENCE_SECONDS)
        await asyncio.sleep(seconds / 2)
        dead = await site.count(ORDERS_QUEUE.dead_queue)
    verdict = current.verdict
    verdict.notes.extend(
        [
            f"{_MESSAGES} were sent in {sent:.1f} s and dead after {buried:.1f} s",
            f"`list` took {listing:.1f} s, `replay --all` {replaying:.1f} s",
        ]
    )
    if dead != _MESSAGES:
        verdict.failures.append(f"{dead} are dead instead of {_MESSAGES}")
    return verdict


async def _send_garbage(site: Site) -> None:
    async with await aio_pika.connect(site.broker.url) as connection, connection.channel() as channel:
        underlay = await channel.get_underlay_channel()
        bodies = [f"garbage {number}".encode() for number in range(_MESSAGES)]
        await asyncio.gather(*(underlay.basic_publish(body, routing_key=ORDERS_QUEUE.queue) for body in bodies))


async def _are_dead(site: Site) -> bool:
    return await site.count(ORDERS_QUEUE.dead_queue) >= _MESSAGES


async def _timed(site: Site, *command: str) -> float:
    """Seconds that a command on the dead letters takes.

    Raises:
        RuntimeError: It has failed, or has not seen all of them.
    """
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service_kit.commands.dead_letters", ORDERS_QUEUE.queue, *command),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "RABBITMQ_URL": site.broker.url},
        cwd=site.broker.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    last = printed.decode().splitlines()[-1]
    if process.returncode or not last.startswith(str(_MESSAGES)):
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode} and said: {last}")
    return time.monotonic() - began
