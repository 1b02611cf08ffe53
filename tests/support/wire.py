"""Requests that are written byte by byte, to a server that is a process of its own."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.service_kit.conftest import ROOT

POST = b"POST /notes HTTP/1.1\r\nHost: notes\r\nContent-Type: application/json\r\n"
GET = b"GET /notes/7 HTTP/1.1\r\nHost: notes\r\n\r\n"


def port_in(line: str) -> int:
    """The port that a server says it listens on."""
    listening = re.search(r" listening .*port=(\d+)", line)
    assert listening is not None
    return int(listening[1])


def hear(connection: socket.socket, until: bytes | None = None) -> bytes:
    """What the server sends, up to these bytes or its end."""
    heard = b""
    while (until is None or until not in heard) and (piece := connection.recv(65_536)):
        heard += piece
    return heard


@dataclass(frozen=True)
class Served:
    """A server, and how to speak with it."""

    port: int
    pid: int

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=15)

    def answer(self, request: bytes) -> bytes:
        """All that is heard until the server closes, by a client that first sends everything."""
        with self.connect() as connection:
            connection.sendall(request)
            return hear(connection)

    def resident_bytes(self) -> int:
        """Its memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def served(folder: Path, *arguments: str) -> Iterator[Served]:
    """Starts Python with these arguments, without any settings of ours, in a folder of its own."""
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": "0"},
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        try:
            yield Served(port_in(server.stdout.readline()), server.pid)
        finally:
            server.terminate()
