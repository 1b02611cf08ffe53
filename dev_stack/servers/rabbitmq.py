"""RabbitMQ from Debian's package, as a private node that any user may run."""

import os
import shutil
import socket
from pathlib import Path
from typing import ClassVar, Final

from dev_stack.errors import StackError
from dev_stack.ports import LOOPBACK, free_port
from dev_stack.servers.epmd import Epmd
from dev_stack.servers.server import Server
from dev_stack.setup.system_packages import install_packages

# The command on the PATH insists on the user rabbitmq and its folders; the package's own script does not.
_SCRIPT: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_INSTEAD: Final = "name a running one in RABBITMQ_URL"
_PROTOCOL_HEADER: Final = b"AMQP\x00\x00\x09\x01"
_METHOD_FRAME: Final = b"\x01"


class RabbitMissingError(StackError):
    """RabbitMQ is not installed."""


class RabbitNode(Server):
    """A RabbitMQ node with its own port mapper, cookie, configuration and database."""

    name: ClassVar[str] = "RabbitMQ"

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, port)
        self._epmd = Epmd(self.folder / "epmd", free_port())

    @classmethod
    def install(cls) -> None:
        """Debian's package, without starting Debian's own service of it."""
        if not _script():
            install_packages(("rabbitmq-server",), needed_for=cls.name, otherwise=_INSTEAD)

    @property
    def url(self) -> str:
        """Address of the default virtual host; `guest` may come in from this machine only."""
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}/"

    def is_ready(self) -> bool:
        """Whether it greets an AMQP client; its listener opens last, after queues and exchanges are recovered."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=0.5) as client:
                client.sendall(_PROTOCOL_HEADER)
                return client.recv(1) == _METHOD_FRAME
        except OSError:
            return False

    def remembers(self, queue: str) -> bool:
        """Whether a quorum queue would survive `kill`.

        The node writes a new one to its directory of queues seconds after it has confirmed the declaration. Killed in
        between, it comes back with a queue that never gets a leader (rabbitmq-server#10070).
        """
        return any(queue.encode() in names.read_bytes() for names in self.folder.rglob("names.dets"))

    def spawn(self) -> None:
        """Start the port mapper, then the node."""
        if not self._epmd.is_running:
            self._epmd.start()
        super().spawn()

    def stop(self, timeout_seconds: float = 15) -> None:
        """Stop the node, then the port mapper."""
        super().stop(timeout_seconds)
        self._epmd.stop()

    def _command(self) -> list[str]:
        script = _script()
        if script is None:
            raise RabbitMissingError(f"RabbitMQ is missing: install Debian's rabbitmq-server, or {_INSTEAD}.")
        (self.folder / "enabled_plugins").write_text("[].\n")
        (self.folder / "rabbitmq.conf").write_text("# Ours, so that the machine's own configuration is not read.\n")
        return [script]

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),  # the cookie lies there
            # Lets the script become the Erlang machine instead of watching it: one process, which gets our signals.
            "RUNNING_UNDER_SYSTEMD": "true",
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(self._epmd.port),
            "ERL_ZFLAGS": "-start_epmd false",  # should ours die, a daemon would take its place and outlive us
            **self._addresses(),
            **self._files(),
        }

    def _addresses(self) -> dict[str, str]:
        return {
            # The same name whatever the port: the database is kept under it, and the port mapper is private.
            "RABBITMQ_NODENAME": "dev_stack@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            # Without busy waiting: the cores are shared with the services that it serves.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
            ),
        }

    def _files(self) -> dict[str, str]:
        return {
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",  # into our server.log
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(self.folder / "conf.d"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "rabbitmq-env.conf"),
        }


def _script() -> str | None:
    return str(_SCRIPT) if _SCRIPT.exists() else shutil.which("rabbitmq-server")
