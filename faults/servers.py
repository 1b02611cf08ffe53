"""The servers and services of a scenario: what a fault does to them, and who keeps them running."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

from dev_stack.servers.rabbitmq import RabbitNode
from dev_stack.servers.server import Server
from tests.support.system import ServiceProcess

PATIENCE_SECONDS: Final = 90.0
_LOOK_SECONDS: Final = 0.1


@dataclass(kw_only=True)
class Servers:
    """Whatever of them dies unasked is started again, and noted.

    Attributes:
        store: Of all services.
        broker: Of all services.
        away: Those that a fault keeps down at the moment.
        notes: What happened beside the plan, and belongs into the report.
    """

    store: Server
    broker: RabbitNode
    away: set[Server] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    @property
    def services(self) -> Collection[ServiceProcess]:
        """Those of ours."""
        raise NotImplementedError

    async def stop(self, server: Server) -> None:
        self.away.add(server)
        await asyncio.to_thread(server.stop)

    async def kill(self, server: Server) -> None:
        self.away.add(server)
        await asyncio.to_thread(server.kill)

    async def start(self, server: Server) -> None:
        server.spawn()  # on this very thread, as `leash` wants
        self.away.discard(server)
        await asyncio.to_thread(server.wait_until_ready)

    async def keep_services_running(self) -> None:
        """Start again what has died by itself, as the platform does."""
        while True:
            for service in self.services:
                if not service.is_running and service not in self.away:
                    self.notes.append(f"{service.folder.name} ended by itself with {service.wait()}")
                    service.spawn()
            await asyncio.sleep(_LOOK_SECONDS)


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_SECONDS) -> bool:
    """Wait for what other processes bring about; whether it came in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await holds():
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_LOOK_SECONDS)
    return True


async def start_all(stack: AsyncExitStack, *servers: Server) -> None:
    """Start them together; they stop with the stack."""
    for server in servers:
        stack.push_async_callback(asyncio.to_thread, server.__exit__)
        server.spawn()
    await asyncio.gather(*(asyncio.to_thread(server.wait_until_ready) for server in servers))
