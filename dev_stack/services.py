"""The table of services, a row each; all that has to know them follows from it. `make up` starts them in this order.

What another file repeats of a row stands there between two lines that say so, and is written by `make rows`. What only
people can write is held against the row by tests/dev_stack/test_rows.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from dev_stack.errors import StackError


class UnknownServiceError(StackError):
    """A name that is not in the table."""


@dataclass(frozen=True, kw_only=True)
class BrokerAccount:
    """What a service may do at RabbitMQ.

    Attributes:
        vhost: Its virtual host, one for each system.
        queues: All queues that it declares, with their retry and dead queues.
        reads: Which events it binds and reads: `order` is every `order.…`.
        publishes: Which events it publishes; none unless it says so.
    """

    queues: tuple[str, ...]
    reads: str
    publishes: str | None = None
    vhost: str = "/"


@dataclass(frozen=True, kw_only=True)
class Service:
    """One process of ours.

    Attributes:
        name: Its folder, and the prefix of its log lines.
        command: Arguments of the Python interpreter.
        prepare: The same, of what has to end well before the first start; may be run any number of times.
        port: Where it listens unless `<NAME>_PORT` says otherwise.
        servers: Keys of `dev_stack.servers.catalog.SERVERS` that it needs.
        page: What the table of addresses shows of it.
        health_path: Answers 200 when it can work.
        what: A few words for the README.
        profile: Of docker compose; without one it is always up.
        broker: Its account at RabbitMQ, if it has one.
        has_accounts: Callers log in to accounts of its own (`JWT_KEYS`); without them they send an `API_KEY`.
    """

    name: str
    command: tuple[str, ...]
    port: int
    prepare: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    page: str = "/docs"
    health_path: str = "/health/ready"
    what: str = ""
    profile: str | None = None
    broker: BrokerAccount | None = None
    has_accounts: bool = False

    @property
    def kind(self) -> Literal["api", "worker"]:
        return "api" if self.page == "/docs" else "worker"

    @property
    def password(self) -> str:
        """The variable with the password of its accounts."""
        return f"{self.name.upper()}_PASSWORD"


def _api(name: str, port: int, what: str, *servers: str, broker: BrokerAccount | None = None) -> Service:
    return Service(
        name=name,
        command=("-m", "service_kit.runtime.serve", f"{name}.main:app"),
        port=port,
        what=what,
        servers=(*servers, "rabbitmq") if broker else servers,
        broker=broker,
    )


def _on_postgres(name: str, port: int, what: str, *, profile: str, broker: BrokerAccount | None = None) -> Service:
    """An API with tables: its database is made and migrated before it starts."""
    api = _api(name, port, what, "postgres", broker=broker)
    return replace(api, prepare=("-m", f"{name}.init_db"), profile=profile)


def _worker(name: str, port: int, what: str, *, broker: BrokerAccount) -> Service:
    return Service(
        name=name,
        command=("-m", f"{name}.consumer"),
        port=port,
        what=what,
        servers=("rabbitmq",),
        page="/health/ready",
        broker=broker,
    )


_PASSENGERS: Final = BrokerAccount(
    vhost="passengers", queues=("passengers_queue", "reservations_queue"), reads="passenger", publishes="passenger"
)

SERVICES: Final = (
    _api("user_service", 8001, "users, passwords hashed with bcrypt", "mongodb"),
    _api(
        "orders_service",
        8002,
        "orders, idempotency keys, events",
        "mongodb",
        broker=BrokerAccount(queues=("orders_queue",), reads="order", publishes="order"),
    ),
    _worker(
        "notifications_service",
        8003,
        "the consumer that prints a line an order",
        broker=BrokerAccount(queues=("orders_queue",), reads="order"),
    ),
    _on_postgres(
        "passengers_service",
        8004,
        "passengers: thousands loaded and listed in one request",
        profile="passengers",
        broker=_PASSENGERS,
    ),
    _on_postgres(
        "reservations_service",
        8005,
        "reservations, seats sold once, its own copy of the passengers",
        profile="passengers",
        broker=_PASSENGERS,
    ),
    replace(
        _on_postgres("loans_service", 8007, "clients, loans and payments, exact to the cent", profile="loans"),
        has_accounts=True,
    ),
)


def named_services(names: Sequence[str], table: Sequence[Service] = SERVICES) -> list[Service]:
    """The services of these names in the table's order; all of them when none is named.

    Raises:
        UnknownServiceError: Naming those that there are.
    """
    if unknown := sorted(set(names) - {service.name for service in table}):
        known = ", ".join(service.name for service in table)
        raise UnknownServiceError(f"There is no service called {' or '.join(unknown)}; there are {known}.")
    return [service for service in table if not names or service.name in names]
