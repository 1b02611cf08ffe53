"""Our services as real processes, what they are asked and what they print: for the journeys and for the faults."""

import os
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import ClassVar, Final

from dev_stack.ports import LOOPBACK, free_port
from dev_stack.servers.server import Server
from dev_stack.services import named_services

ROOT: Final = Path(__file__).resolve().parents[2]
WISH: Final = {
    "items": [{"sku": "MUG-01", "name": "Coffee mug", "quantity": 3, "unit_price": "19.99"}],
    "currency": "EUR",
}
_WORDS: Final = "New order received: "
_ID_LENGTH: Final = 24


class ServiceProcess(Server):
    """One of our services, started by the very command that `make up` uses."""

    name: ClassVar[str] = "the service"

    def __init__(self, folder: Path, service: str, **settings: str) -> None:
        super().__init__(folder, free_port())
        [self._service] = named_services([service])
        self.settings = settings

    @classmethod
    def install(cls) -> None:
        pass

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def is_ready(self) -> bool:
        return self._is_well("/health/ready")

    def is_alive(self) -> bool:
        return self._is_well("/health/live")

    def lines(self) -> list[str]:
        """What it has printed since its start before the last, or since its first."""
        logs = [log for log in (self.log.with_suffix(".log.1"), self.log) if log.exists()]
        return [line for log in logs for line in log.read_text().splitlines()]

    def _is_well(self, path: str) -> bool:
        connection = HTTPConnection(LOOPBACK, self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _preparation(self) -> list[str]:
        return [sys.executable, *self._service.prepare] if self._service.prepare else []

    def _command(self) -> list[str]:
        return [sys.executable, *self._service.command]

    def _environment(self) -> dict[str, str]:
        here = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": str(self.port), "ENV_FILE": ""}
        return here | self.settings


def announced(line: str) -> str | None:
    """The id of the order whose line this is, in any log format."""
    _, words, rest = line.partition(_WORDS)
    return rest[:_ID_LENGTH] if words else None


def announcements(*services: ServiceProcess) -> list[str]:
    """The ids of the orders whose line was printed, in their order; one that was printed twice stands twice."""
    told = (announced(line) for service in services for line in service.lines())
    return [order_id for order_id in told if order_id]
