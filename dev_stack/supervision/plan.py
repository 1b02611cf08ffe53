"""What `make up` is about to start, and everything that can be refused before it starts anything."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dotenv import dotenv_values

from dev_stack.errors import StackError
from dev_stack.ports import LOOPBACK, is_free
from dev_stack.servers.catalog import SERVERS, Embedded, NamedServer, servers_for
from dev_stack.servers.server import Server
from dev_stack.services import Service
from service_kit.settings.env_files import SHARED, misplaced, of_one_service

_LAST_PORT = 65535


class PortTakenError(StackError):
    """A port that we want is in use, or wanted twice."""


class PortInvalidError(StackError):
    """A port variable that holds no port."""


def environment_of(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The user's environment, completed by the repository's `.env` file if there is one.

    Raises:
        MisplacedSettingError: The file holds what belongs to one service.
    """
    written = {name: value for name, value in dotenv_values(root / SHARED).items() if value is not None}
    if names := of_one_service(written):
        raise MisplacedSettingError(misplaced(names))
    return {**written, **environment}


class MisplacedSettingError(StackError):
    """A setting of one service that all would get."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The servers and services of one `make up`.

    Attributes:
        embedded: Our servers, by key.
        named: The user's own servers, by key.
        services: With the port of each.
        environment: The user's, completed by `.env`.
        root: Where services run.
    """

    embedded: Mapping[str, Server]
    named: Mapping[str, NamedServer]
    services: Sequence[tuple[Service, int]]
    environment: Mapping[str, str]
    root: Path

    @classmethod
    def of(cls, services: Sequence[Service], *, root: Path, environment: Mapping[str, str]) -> Self:
        """Decide which servers the services need, and where everything listens.

        Raises:
            MisplacedSettingError: The environment gives several services one database.
        """
        _refuse_one_database(services, environment)
        chosen = servers_for([key for service in services for key in service.servers], environment)
        return cls(
            embedded={
                key: kind.server(root / ".data" / key, _port(key, kind.port, environment))
                for key, kind in chosen.items()
                if isinstance(kind, Embedded)
            },
            named={key: server for key, server in chosen.items() if isinstance(server, NamedServer)},
            services=[(service, _port(service.name, service.port, environment)) for service in services],
            environment=environment,
            root=root,
        )

    def service_environment(self, port: int) -> dict[str, str]:
        """What a service gets on top of the user's environment: where to listen, and where its servers are."""
        ours = {
            "HOST": LOOPBACK,
            "PORT": str(port),
            "LOG_FORMAT": "console",
            "PYTHONUNBUFFERED": "1",
            "ENV_FILE": "",  # what it would read by itself is here already
        }
        return {**self.environment, **self.addresses, **ours}

    @property
    def addresses(self) -> dict[str, str]:
        """Where our servers are, by the variables that services read."""
        return {SERVERS[key].variable: server.url for key, server in self.embedded.items()}

    def refuse_taken_ports(self) -> None:
        """Look at every port before anything is started.

        Raises:
            PortTakenError: One sentence for each, with the variable that chooses another.
        """
        wanted = self._wanted_ports()
        taken = [
            f"Port {port} is taken, and {names[0]} wants it: stop what listens there, "
            f"or choose another port by {_variable(names[0])}."
            for port, names in wanted.items()
            if not is_free(port)
        ]
        twice = [
            f"Port {port} is wanted by {' and '.join(names)}: choose another for one of them by {_variable(names[-1])}."
            for port, names in wanted.items()
            if len(names) > 1
        ]
        if sentences := taken + twice:
            raise PortTakenError("\n".join(sentences))

    def _wanted_ports(self) -> dict[int, list[str]]:
        wanted = defaultdict(list)
        for key, server in self.embedded.items():
            wanted[server.port].append(key)
        for service, port in self.services:
            wanted[port].append(service.name)
        return wanted


def _refuse_one_database(services: Sequence[Service], environment: Mapping[str, str]) -> None:
    for key, kind in SERVERS.items():
        names = [service.name for service in services if key in service.servers]
        if environment.get(kind.database) and len(names) > 1:
            raise MisplacedSettingError(
                f"{kind.database} is set, and would give {' and '.join(names)} one database: unset it."
            )


def _variable(name: str) -> str:
    return f"{name.upper()}_PORT"


def _port(name: str, default: int, environment: Mapping[str, str]) -> int:
    text = environment.get(_variable(name)) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= _LAST_PORT:
        raise PortInvalidError(f"{_variable(name)} is {text!r}, which is no port: use a number from 1 to {_LAST_PORT}.")
    return int(text)
