"""A TCP proxy between a process and a server, by which a test breaks their connection."""

import asyncio
from typing import Self
from urllib.parse import urlsplit


class TcpProxy:
    """Carries TCP to a server: it can be disconnected, restored, and hold the server's responses back."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._server_at = (parts.hostname, parts.port)
        self._parts = parts
        self._listener: asyncio.Server | None = None
        self._port = 0
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._responses = asyncio.Event()
        self._responses.set()

    @property
    def url(self) -> str:
        user = f"{self._parts.username}:{self._parts.password}@" if self._parts.username else ""
        return self._parts._replace(netloc=f"{user}127.0.0.1:{self._port}").geturl()

    async def restore(self) -> None:
        self._responses.set()
        self._listener = await asyncio.start_server(self._carry, "127.0.0.1", self._port)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def disconnect(self) -> None:
        """Break every connection and refuse new ones."""
        assert self._listener is not None
        self._listener.close()
        for end in list(self._ends):
            end.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hold_responses(self) -> None:
        """Hold back whatever the server answers from now on; it is lost by a disconnect."""
        self._responses.clear()

    def release_responses(self) -> None:
        """Let them through again."""
        self._responses.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._server_at)
        always = asyncio.Event()
        always.set()
        for source, sink, gate in ((reader, there_writer, always), (there_reader, writer, self._responses)):
            self._ends.add(sink)
            task = asyncio.create_task(self._pump(source, sink, gate))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, gate: asyncio.Event) -> None:
        try:
            while data := await source.read(65536):
                if not gate.is_set():
                    waiting = asyncio.create_task(gate.wait())
                    closing = asyncio.create_task(sink.wait_closed())
                    await asyncio.wait({waiting, closing}, return_when=asyncio.FIRST_COMPLETED)
                    waiting.cancel()
                    closing.cancel()
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            self._ends.discard(sink)
            sink.close()

    async def __aenter__(self) -> Self:
        await self.restore()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()
