"""What the supervisor keeps running: embedded servers and services behind one protocol."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from dev_stack.ports import LOOPBACK
from dev_stack.servers.parent_death import leash
from dev_stack.servers.server import Server, ServerNotReadyError
from dev_stack.services import Service
from dev_stack.supervision.output import lines_of

_ANSWER_SECONDS: Final = 2
_LAST_OUTPUT_SECONDS: Final = 2


class Child(Protocol):
    """Something that is started, becomes ready, ends, and may be started again."""

    name: str

    async def prepare(self) -> int:
        """Run what has to end well before its first start; answer its exit status, 0 where there is nothing."""

    async def spawn(self) -> None:
        """Start its process."""

    async def is_ready(self) -> bool:
        """Ask it once whether it can work."""

    async def wait(self) -> int:
        """Wait until it ends; answer its exit status, negative for a signal."""

    async def stop(self) -> None:
        """End it if it runs: SIGTERM, and SIGKILL after 15 seconds."""


class ServerChild:
    """An embedded server. Its log stays in its folder: it would drown those of the services."""

    def __init__(self, server: Server) -> None:
        self.name = server.name
        self._server = server
        self._was_ready = False

    async def prepare(self) -> int:
        """Nothing: it does so itself."""
        return 0

    async def spawn(self) -> None:
        """Start it on this very thread, as `leash` wants."""
        self._server.spawn()

    async def is_ready(self) -> bool:
        """Ask it in a thread."""
        ready = await asyncio.to_thread(self._server.is_ready)
        self._was_ready = self._was_ready or ready
        return ready

    async def wait(self) -> int:
        """Wait in a thread.

        Raises:
            ServerNotReadyError: When it ends before it has ever been ready; starting it again would not help.
        """
        status = await asyncio.to_thread(self._server.wait)
        if not self._was_ready:
            raise ServerNotReadyError(self._server.last_words())
        return status

    async def stop(self) -> None:
        """Stop it in a thread."""
        await asyncio.to_thread(self._server.stop)


class ServiceChild:
    """A service, whose output is handed on line by line."""

    def __init__(
        self, service: Service, *, port: int, environment: dict[str, str], root: Path, say: Callable[[str, str], None]
    ) -> None:
        self.name = service.name
        self._service = service
        self._port = port
        self._environment = environment
        self._root = root
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def prepare(self) -> int:
        """Run its preparation to the end, with its output handed on like its own."""
        if not self._service.prepare:
            return 0
        await self._start(self._service.prepare)
        return await self.wait()

    async def spawn(self) -> None:
        """Start it."""
        await self._start(self._service.command)

    async def is_ready(self) -> bool:
        """Whether its health path answers 200."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await _status(self._port, self._service.health_path) == b"200"
        except OSError:  # TimeoutError is one
            return False

    async def wait(self) -> int:
        """Wait until it ended and its last lines are written."""
        assert self._process is not None
        assert self._reading is not None
        status = await self._process.wait()
        await asyncio.wait({self._reading}, timeout=_LAST_OUTPUT_SECONDS)
        return status

    async def stop(self, timeout_seconds: float = 15) -> None:
        """Let it finish what it took."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self.wait(), timeout_seconds)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self.wait()

    async def _start(self, command: Sequence[str]) -> None:
        """Start a process in a session of its own: Ctrl-C reaches it by us, in its turn."""
        self._process = await asyncio.create_subprocess_exec(
            *(*leash(), sys.executable, *command),
            env=self._environment,
            cwd=self._root,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._reading = asyncio.create_task(self._hand_on(self._process.stdout))

    async def _hand_on(self, stream: asyncio.StreamReader) -> None:
        async for line in lines_of(stream):
            self._say(self.name, line)


async def _status(port: int, path: str) -> bytes:
    """The status of a GET, as the first line says it."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}\r\n\r\n".encode())
        return (await reader.readline()).split()[1]
    except IndexError:
        return b""
    finally:
        writer.close()
