"""Two services that keep each other's passengers up to date, while processes die: both copies end equal."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import aio_pika
import httpx
from aio_pika.exceptions import ChannelNotFoundEntity

from dev_stack.ports import free_port
from dev_stack.servers.postgres import Postgres
from dev_stack.servers.rabbitmq import RabbitNode
from faults.editors import CONTESTED, Editors
from faults.faults import broker_killed, broker_stopped, frozen, killed, store_killed
from faults.servers import Servers, start_all, until
from faults.verdict import Verdict, in_sentences
from passengers_service.config.rabbit import PASSENGERS_QUEUE, RESERVATIONS_QUEUE
from tests.support.system import ServiceProcess

_LONGEST_PEACE_SECONDS: Final = 2.0
_AFTERWARDS: Final = 20
_LOOKS: Final = 5
_LOOK_SECONDS: Final = 0.2
_EDITS_SHARE: Final = 0.5
"""Of the common rate: an edit is two requests."""


@dataclass(kw_only=True)
class Copies(Servers):
    """The two services; `store` is the PostgreSQL of both, with a database each."""

    passengers: ServiceProcess
    reservations: ServiceProcess

    @property
    def services(self) -> list[ServiceProcess]:
        return [self.passengers, self.reservations]

    async def digests(self) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(timeout=10) as client:
            answers = [await client.get(f"{service.url}/sync/digest") for service in self.services]
        return [answer.raise_for_status().json() for answer in answers]

    async def are_equal(self) -> bool:
        try:
            first, second = await self.digests()
        except httpx.HTTPError:
            return False
        return first == second

    async def is_drained(self, queue: str) -> bool:
        """Whether a queue has been empty for a moment: so that what was taken out of it is acknowledged too."""
        for _ in range(_LOOKS):
            async with await aio_pika.connect(self.broker.url) as connection, connection.channel() as channel:
                try:
                    found = await channel.declare_queue(queue, passive=True)
                except ChannelNotFoundEntity:
                    return False  # nobody has made it again yet
            if found.declaration_result.message_count:
                return False
            await asyncio.sleep(_LOOK_SECONDS)
        return True

    async def fields(self, passenger_id: str) -> list[dict[str, Any]]:
        """What each side answers of a passenger."""
        async with httpx.AsyncClient(timeout=10) as client:
            answers = [await client.get(f"{service.url}/passengers/{passenger_id}") for service in self.services]
        return [answer.raise_for_status().json() for answer in answers]


CopiesFault = Callable[[Copies, Random], Awaitable[None]]


async def passengers_killed(copies: Copies, random: Random) -> None:
    """passengers_service is killed, and started again."""
    await killed(copies, copies.passengers, random)


async def reservations_killed(copies: Copies, random: Random) -> None:
    """reservations_service is killed, and started again."""
    await killed(copies, copies.reservations, random)


async def store_restarted(copies: Copies, _random: Random) -> None:
    """PostgreSQL is stopped in order, and started again."""
    await copies.stop(copies.store)
    await copies.start(copies.store)


async def queue_deleted(copies: Copies, random: Random) -> None:
    """The queue of one side is deleted while that side stands still, and the other goes on telling."""
    sides = [(copies.passengers, RESERVATIONS_QUEUE.queue), (copies.reservations, PASSENGERS_QUEUE.queue)]
    (teller, queue), (reader, _) = random.sample(sides, 2)
    with frozen([teller]):  # what lies in a queue dies with it: so it is deleted while it is empty
        is_empty = await until(lambda: copies.is_drained(queue))
        os.kill(reader.pid, signal.SIGSTOP)
        if is_empty:
            async with await aio_pika.connect(copies.broker.url) as connection, connection.channel() as channel:
                await channel.queue_delete(queue)
    await asyncio.sleep(random.uniform(0.5, _LONGEST_PEACE_SECONDS))
    os.kill(reader.pid, signal.SIGCONT)


async def queue_lost(copies: Copies, random: Random) -> None:
    """The queue of one side is deleted with what it holds: both compare their digests, and restore what is missing."""
    reader, queue = random.choice(
        [(copies.reservations, RESERVATIONS_QUEUE.queue), (copies.passengers, PASSENGERS_QUEUE.queue)]
    )
    with frozen([reader]):
        await asyncio.sleep(random.uniform(0.5, _LONGEST_PEACE_SECONDS))
        async with await aio_pika.connect(copies.broker.url) as connection, connection.channel() as channel:
            await channel.queue_delete(queue)


SYNC_FAULTS: Final[dict[str, CopiesFault]] = {
    "sync_broker_stopped": broker_stopped,
    "sync_broker_killed": broker_killed,
    "sync_passengers_killed": passengers_killed,
    "sync_reservations_killed": reservations_killed,
    "sync_queue_deleted": queue_deleted,
    "sync_queue_lost": queue_lost,
    "sync_store_restarted": store_restarted,
    "sync_store_killed": store_killed,
}


_SETTINGS: Final = {"sync_queue_lost": {"SYNC_CHECK_SECONDS": "1"}}
"""Elsewhere no comparison comes in time to hide that something was lost."""


async def sync(fault: CopiesFault, name: str, *, seed: int, seconds: float, rate: float) -> Verdict:
    """Edit on both sides while a fault happens again and again; then both copies have to become equal."""
    random = Random(seed)
    folder = Path(tempfile.mkdtemp(prefix=f"faults_{name}_"))
    async with opened(folder, **_SETTINGS.get(name, {})) as copies:
        async with Editors([copies.passengers.url, copies.reservations.url], rate * _EDITS_SHARE, random) as editors:
            rounds = await _let_happen(fault, copies, editors, random, seconds)
        ended = time.monotonic()
        became_equal = await until(copies.are_equal)
        verdict = await _verdict(copies, editors, became_equal=became_equal, name=name, seed=seed, rounds=rounds)
        verdict.notes.append(f"equal {time.monotonic() - ended:.1f} s after the last edit")
    if not verdict.failures:
        shutil.rmtree(folder)
    return verdict


async def _let_happen(fault: CopiesFault, copies: Copies, editors: Editors, random: Random, seconds: float) -> int:
    rounds, deadline = 0, time.monotonic() + seconds
    while rounds == 0 or time.monotonic() < deadline:
        await editors.have_edited(1)
        await asyncio.sleep(random.uniform(0, _LONGEST_PEACE_SECONDS))
        await fault(copies, random)
        rounds += 1
    await editors.have_edited(_AFTERWARDS)
    return rounds


async def _verdict(
    copies: Copies, editors: Editors, *, became_equal: bool, name: str, seed: int, rounds: int
) -> Verdict:
    sides = {passenger_id: await copies.fields(passenger_id) for passenger_id in editors.ids}
    on_side = [
        {key for key, value in editors.wanted.items() if sides[key[0]][side][key[1]] == value} for side in (0, 1)
    ]
    lost = {f"{key[1]} of {key[0]}" for key in editors.wanted.keys() - (on_side[0] & on_side[1])}
    strange = {one for one, both in sides.items() if both[0][CONTESTED] not in editors.tried.get(one, {"Peña"})}
    return Verdict(
        scenario=name,
        seed=seed,
        rounds=rounds,
        posts=editors.puts,
        accepted=editors.accepted,
        refused=editors.refused,
        settled=editors.settled,
        found=len(on_side[0]),
        told=len(on_side[1]),
        lost=lost,
        repeated=(),
        unexcused=(),
        longest_seconds=0.0,
        failures=[
            *([] if became_equal else [f"the copies differ: {await copies.digests()}"]),
            *in_sentences("accepted last, but not there on both sides", lost),
            *in_sentences("have a name that nobody gave them", strange),
            *(f"{count} requests were answered {status}" for status, count in sorted(editors.odd.items())),
        ],
        notes=copies.notes,
    )


@asynccontextmanager
async def opened(folder: Path, **settings: str) -> AsyncIterator[Copies]:
    """The two services on servers of their own, all ready; every process has ended afterwards."""
    async with AsyncExitStack() as stack:
        store = Postgres(folder / "postgres", free_port(), temporary=True)
        broker = RabbitNode(folder / "rabbit", free_port())
        await start_all(stack, store, broker)
        addresses = {"DATABASE_URL": store.url, "RABBITMQ_URL": broker.url, **settings}
        passengers = ServiceProcess(folder / "passengers", "passengers_service", **addresses)
        reservations = ServiceProcess(folder / "reservations", "reservations_service", **addresses)
        copies = Copies(store=store, broker=broker, passengers=passengers, reservations=reservations)
        await start_all(stack, passengers, reservations)
        keeping = asyncio.create_task(copies.keep_services_running())
        try:
            yield copies
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
