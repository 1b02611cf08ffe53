"""What every embedded server shares: one process of its own, one folder for its data, one port on 127.0.0.1.

The same classes serve `make up` (data under `.data/`) and the tests (temporary data, free ports). A server knows
nothing of the supervisor: it is started, asked whether it answers, and ended by its own process id.
"""

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Final, Self

from dev_stack.errors import StackError
from dev_stack.servers.parent_death import leash
from dev_stack.servers.unprivileged import Identity

_POLL_SECONDS: Final = 0.05
_LAST_LINES: Final = 5


class ServerNotReadyError(StackError):
    """A server ended, or stayed silent, where it should have become ready."""


class Server(ABC):
    """A real server that we start ourselves.

    `with Mongod(folder, port) as server:` starts it and stops it again. `kill` and `start` may follow each other any
    number of times on the same port and data.

    Attributes:
        name: What it is called in front of people.
        folder: Its data, and `server.log` with what it says; `server.log.1` is that of the start before.
        port: Where it listens on 127.0.0.1.
        stop_signal: Ends it in order.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder.absolute()
        self.port = port
        self.log = self.folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @abstractmethod
    def install(cls) -> None:
        """Install what the machine lacks for it.

        Raises:
            StackError: When we may not; it says what to install.
        """

    @property
    @abstractmethod
    def url(self) -> str:
        """What a client connects to."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Ask it once, in less than a second, whether it serves clients."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The command that becomes the server; what it needs in its folder is written first."""

    @abstractmethod
    def _environment(self) -> dict[str, str]:
        """The server's whole environment: nothing of the user's own servers leaks into it."""

    def _identity(self) -> Identity:
        """Which user it runs as; ours unless it says otherwise."""
        return {}

    def _preparation(self) -> list[str]:
        """A command that has to end well before the first start; none unless it says so."""
        return []

    @property
    def pid(self) -> int:
        """Process id of the server itself, never that of a wrapper."""
        return self._running().pid

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it serves clients."""
        self.spawn()
        self.wait_until_ready()

    def spawn(self) -> None:
        """Start its process, the first time after its preparation, and return at once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._process is None and (preparation := self._preparation()):
            self._run(preparation)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                [*leash(), *self._command()],
                env=self._environment(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C in a terminal reaches a whole session: ours is stopped by us, after the services.
                start_new_session=True,
                **self._identity(),
            )

    def wait_until_ready(self, timeout_seconds: float = 60) -> None:
        """Return as soon as it serves clients.

        Raises:
            ServerNotReadyError: With the end of its log.
        """
        deadline = time.monotonic() + timeout_seconds
        while not self.is_ready():
            if not self.is_running or time.monotonic() > deadline:
                raise ServerNotReadyError(self.last_words())
            time.sleep(_POLL_SECONDS)

    def wait(self) -> int:
        """Wait until its process ends; answer the exit status, negative for a signal."""
        return self._running().wait()

    def stop(self, timeout_seconds: float = 15) -> None:
        """End it in order: its `stop_signal`, then SIGKILL after the deadline. One that does not run is left alone."""
        if not self.is_running:
            return
        self._running().send_signal(self.stop_signal)
        try:
            self._running().wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a crash would: SIGKILL, and its data stays as it is."""
        self._running().send_signal(signal.SIGKILL)
        self._running().wait()

    def last_words(self) -> str:
        """Why it did not become ready, with the end of its log."""
        return _with_the_end(f"{self.name} did not start; {self.log} ends with:", self.log.read_bytes())

    def _run(self, command: list[str]) -> None:
        """Run a command to its end as the server would run.

        Raises:
            ServerNotReadyError: With the end of what it said, when it fails.
        """
        done = subprocess.run(  # noqa: S603 - our own commands
            [*leash(), *command],
            env=self._environment(),
            cwd=self.folder,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # as in `spawn`
            **self._identity(),
        )
        if done.returncode:
            raise ServerNotReadyError(_with_the_end(f"{self.name} could not be prepared:", done.stdout))

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServerNotReadyError(f"{self.name} was not started.")
        return self._process

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()


def _with_the_end(sentence: str, output: bytes) -> str:
    lines = output.decode(errors="replace").splitlines()[-_LAST_LINES:]
    return "\n".join([sentence, *(f"    {line}" for line in lines)])
