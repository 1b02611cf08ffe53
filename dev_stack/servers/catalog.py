"""The table of embedded servers, and which of them a set of services gets: ours, or one that the user names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from dev_stack.ports import answers
from dev_stack.servers.mongod import Mongod
from dev_stack.servers.postgres import Postgres
from dev_stack.servers.rabbitmq import RabbitNode
from dev_stack.servers.server import Server


@dataclass(frozen=True)
class Embedded:
    """A kind of server.

    Attributes:
        server: Its class.
        variable: The environment variable that services read its address from, and that names another one.
        database: The variable that names the database on it; empty for a broker.
        port: Where it listens unless `<KEY>_PORT` says otherwise; not its usual port, where another may listen.
    """

    server: type[Server]
    variable: str
    database: str
    port: int


SERVERS: Final[Mapping[str, Embedded]] = {
    "mongodb": Embedded(Mongod, "MONGODB_URI", "MONGODB_DATABASE", 27018),
    "rabbitmq": Embedded(RabbitNode, "RABBITMQ_URL", "", 5673),
    "postgres": Embedded(Postgres, "DATABASE_URL", "DATABASE_NAME", 5434),
}


@dataclass(frozen=True)
class NamedServer:
    """A server of the user's, which we neither start nor stop."""

    variable: str
    url: str

    @property
    def shown_url(self) -> str:
        """The address without its password."""
        password = urlsplit(self.url).password
        return self.url.replace(f":{password}@", ":***@") if password else self.url

    def is_silent(self) -> bool:
        """Whether nobody listens at any host of the address; not asked where a name service knows the hosts."""
        hosts = [_host_and_port(host) for host in urlsplit(self.url).netloc.rpartition("@")[2].split(",")]
        known = [(host, port) for host, port in hosts if port is not None]
        return bool(known) and not any(answers(host, port) for host, port in known)


def _host_and_port(text: str) -> tuple[str, int | None]:
    host, _, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if port.isdecimal() else (text, None)


def servers_for(needed: Sequence[str], environment: Mapping[str, str]) -> dict[str, NamedServer | Embedded]:
    """What each needed key of the table stands for: the user's server where its variable is set, ours otherwise."""
    return {key: _server_for(SERVERS[key], environment) for key in SERVERS if key in needed}


def _server_for(kind: Embedded, environment: Mapping[str, str]) -> NamedServer | Embedded:
    url = environment.get(kind.variable)
    return NamedServer(kind.variable, url) if url else kind
