"""Erlang's port mapper, started by us in the foreground.

A RabbitMQ that finds none starts a daemon, which outlives it and is shared by every Erlang node of the machine. A
private one on a port of its own meets no other node, and ends with the node that it was started for.
"""

import os
import shutil
from typing import ClassVar

from dev_stack.errors import StackError
from dev_stack.ports import LOOPBACK, answers
from dev_stack.servers.server import Server


class EpmdMissingError(StackError):
    """RabbitMQ is there, but the Erlang that it runs on is not on the PATH."""


class Epmd(Server):
    """A private port mapper."""

    name: ClassVar[str] = "epmd"

    @classmethod
    def install(cls) -> None:
        """Nothing: it comes with RabbitMQ."""

    @property
    def url(self) -> str:
        """Erlang nodes find it by the variables ERL_EPMD_ADDRESS and ERL_EPMD_PORT."""
        return f"epmd://{LOOPBACK}:{self.port}"

    def is_ready(self) -> bool:
        """Whether it accepts connections."""
        return answers(LOOPBACK, self.port)

    def _command(self) -> list[str]:
        epmd = shutil.which("epmd")
        if epmd is None:
            raise EpmdMissingError("`epmd` is not on the PATH; it is part of Erlang (Debian's package erlang-base).")
        return [epmd, "-port", str(self.port), "-address", LOOPBACK]

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"]}
