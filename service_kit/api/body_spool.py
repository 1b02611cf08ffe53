"""A body that is kept until all of it is there, and may then be read several times: in memory while it is small.

So nothing that others need, a connection or a lock, waits for a slow sender. What is larger goes into a temporary file
that has no name, and is gone with the request, or with the process.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import IO, Final

import structlog

from service_kit.problems import ServiceError

log = structlog.get_logger()

_IN_MEMORY_BYTES: Final = 1_048_576
_READ_BYTES: Final = 262_144
_PIECE_BYTES: Final = 65_536
_RETRY_AFTER: Final = {"Retry-After": "30"}


class NoRoomError(ServiceError):
    """The bodies of others, or something else, fill the room for bodies that wait for their end."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "no-room-for-body"

    def __init__(self) -> None:
        super().__init__(
            f"There is no room for a body of more than {_IN_MEMORY_BYTES} bytes at the moment. Send smaller pieces, or "
            "try again later.",
            headers=_RETRY_AFTER,
        )


class SpoolRoom:
    """The room on disk that all bodies of a process may take together.

    Attributes:
        free_bytes: What is left of it.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.free_bytes = limit_bytes


class SpooledBody:
    """One body."""

    def __init__(self, room: SpoolRoom) -> None:
        self._room = room
        self._file: IO[bytes] | None = None
        self._stored_bytes = 0
        self._tail = bytearray()

    async def add(self, piece: bytes) -> None:
        """Append a piece.

        Raises:
            NoRoomError: The body is too large for memory, and there is no room for it on disk (503).
        """
        self._tail += piece
        if len(self._tail) > _IN_MEMORY_BYTES:
            self._take_room(len(self._tail))
            await asyncio.to_thread(self._write, bytes(self._tail))
            self._tail.clear()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body from its beginning, in pieces of 64 KiB at most."""
        if self._file:
            self._file.seek(0)
            while read := await asyncio.to_thread(self._file.read, _READ_BYTES):
                for piece in _cut(read):
                    yield piece
        for piece in _cut(bytes(self._tail)):
            yield piece

    def close(self) -> None:
        """Give the room back."""
        if self._file:
            self._file.close()
        self._room.free_bytes += self._stored_bytes
        self._stored_bytes = 0

    def _take_room(self, more_bytes: int) -> None:
        if more_bytes > self._room.free_bytes:
            log.warning("no_room_for_body", free_bytes=self._room.free_bytes)
            raise NoRoomError
        self._room.free_bytes -= more_bytes
        self._stored_bytes += more_bytes

    def _write(self, data: bytes) -> None:
        try:
            self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
            self._file.write(data)
        except OSError as error:
            reason = f"{error.strerror or error}: set TMPDIR to a folder with room that can be written"
            log.error("no_room_for_body", error=reason)  # noqa: TRY400 - the sentence says it all
            raise NoRoomError from error


def _cut(data: bytes) -> list[bytes]:
    return [data[start : start + _PIECE_BYTES] for start in range(0, len(data), _PIECE_BYTES)]


@asynccontextmanager
async def spooled(body: AsyncIterator[bytes], room: SpoolRoom) -> AsyncIterator[SpooledBody]:
    """The whole body, while the block runs.

    Raises:
        NoRoomError: There is no room for it (503).
    """
    whole = SpooledBody(room)
    try:
        async for piece in body:
            await whole.add(piece)
        yield whole
    finally:
        whole.close()
