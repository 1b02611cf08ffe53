"""What is measured, as processes: ours by the very command of `make up`, the peers by theirs."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final
from urllib.request import urlopen

from dev_stack.ports import LOOPBACK, free_port
from dev_stack.servers.server import Server
from dev_stack.services import named_services

ROOT: Final = Path(__file__).resolve().parents[2]


class Contender(Server):
    """One process that serves or consumes; its output goes to a file, as a container's would."""

    name: ClassVar[str] = "a contender"

    def __init__(
        self, folder: Path, command: list[str], settings: dict[str, str], *, prepare: list[str] | None = None
    ) -> None:
        super().__init__(folder, free_port())
        self._arguments = command
        self._settings = settings
        self._prepare = prepare or []

    @classmethod
    def install(cls) -> None:
        """What it needs is in the environment already."""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"

    def is_ready(self) -> bool:
        """Whether it can work."""
        with suppress(OSError), urlopen(f"{self.url}/health/ready", timeout=1):  # noqa: S310 - our own address
            return True
        return False

    def resident_mib(self) -> float:
        """Memory that it holds at the moment."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024

    def _preparation(self) -> list[str]:
        return self._prepare

    def _command(self) -> list[str]:
        return self._arguments

    def _environment(self) -> dict[str, str]:
        here = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": str(self.port), "ENV_FILE": ""}
        return here | self._settings


def python(folder: Path, module: str, *arguments: str, **settings: str) -> Contender:
    """A Python module as a process."""
    return Contender(folder, [sys.executable, "-m", module, *arguments], settings)


def ours(folder: Path, service: str, **settings: str) -> Contender:
    """One of our services."""
    [known] = named_services([service])
    prepare = [sys.executable, *known.prepare] if known.prepare else []
    return Contender(folder, [sys.executable, *known.command], settings, prepare=prepare)


def node(folder: Path, script: Path, **settings: str) -> Contender:
    """A script for Node as a process."""
    return Contender(folder, ["node", str(script)], settings)
