"""Runs a plan: servers together, each service as soon as its servers are ready, until a signal ends all in order."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from typing import Final, TextIO

from dev_stack.services import Service
from dev_stack.supervision.children import Child, ServerChild, ServiceChild
from dev_stack.supervision.output import STACK, Output
from dev_stack.supervision.overview import overview
from dev_stack.supervision.plan import Plan
from dev_stack.supervision.restarter import Keeper

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """The processes of one `make up`.

    Attributes:
        stopping: Set it to end everything, as a signal does.
    """

    def __init__(self, plan: Plan, *, stream: TextIO = sys.stdout) -> None:
        self.stopping = asyncio.Event()
        self._plan = plan
        names = [service.name for service, _ in plan.services]
        self._output = Output(names, stream=stream, on_lost=self.stopping.set)
        self._servers = {key: Keeper(ServerChild(server), self._say) for key, server in plan.embedded.items()}
        self._services = [self._service_keeper(service, port) for service, port in plan.services]

    async def run(self) -> None:
        """Start everything and keep it running until `stopping`.

        Raises:
            ServerNotReadyError: When a server cannot be started; what had been started is stopped.
        """
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self.stopping.set)
        self._warn_of_silence()
        self._say(f"starting {', '.join(keeper.child.name for keeper in self._keepers)} …")
        keeping = [asyncio.create_task(keeper.keep()) for keeper in self._keepers]
        showing = asyncio.create_task(self._show_overview())
        try:
            await self._until_the_end(keeping)
        finally:
            await self._stop([*keeping, showing])

    @property
    def _keepers(self) -> list[Keeper]:
        return [*self._servers.values(), *self._services]

    def _say(self, line: str) -> None:
        self._output.say(STACK, line)

    def _service_keeper(self, service: Service, port: int) -> Keeper:
        child = ServiceChild(
            service,
            port=port,
            environment=self._plan.service_environment(port),
            root=self._plan.root,
            say=self._output.say,
        )
        return Keeper(child, self._say, needs=[self._servers[key] for key in service.servers if key in self._servers])

    def _warn_of_silence(self) -> None:
        for server in self._plan.named.values():
            if server.is_silent():
                self._say(
                    f"nobody answers at {server.shown_url} yet, which {server.variable} names; the services wait for "
                    "it (without that variable an embedded server is started)"
                )

    async def _show_overview(self) -> None:
        for keeper in self._keepers:
            await keeper.ready.wait()
        self._output.write(overview(self._plan))

    async def _until_the_end(self, keeping: Sequence[asyncio.Task[None]]) -> None:
        stopping = asyncio.create_task(self.stopping.wait())
        ended, _ = await asyncio.wait({stopping, *keeping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        for task in ended:
            task.result()  # a keeper ends by an error only

    async def _stop(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        self._say("stopping …")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._stop_children(self._services)
        await self._stop_children(list(self._servers.values()))

    async def _stop_children(self, keepers: Sequence[Keeper]) -> None:
        await asyncio.gather(*(self._stop_child(keeper.child) for keeper in keepers))

    async def _stop_child(self, child: Child) -> None:
        await child.stop()
        self._say(f"{child.name} stopped")
