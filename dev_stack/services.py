"""The table of services: what `make up` starts, in this order, and what each of them needs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from dev_stack.errors import StackError


class UnknownServiceError(StackError):
    """A name that is not in the table."""


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
    """

    name: str
    command: tuple[str, ...]
    port: int
    prepare: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    page: str = "/docs"
    health_path: str = "/health/ready"


def _api(name: str, port: int, *servers: str) -> Service:
    return Service(
        name=name, command=("-m", "service_kit.runtime.serve", f"{name}.main:app"), port=port, servers=servers
    )


def _on_postgres(name: str, port: int) -> Service:
    """An API with tables: its database is made and migrated before it starts."""
    return replace(_api(name, port, "postgres", "rabbitmq"), prepare=("-m", f"{name}.init_db"))


SERVICES: Final = (
    _api("user_service", 8001, "mongodb"),
    _api("orders_service", 8002, "mongodb", "rabbitmq"),
    Service(
        name="notifications_service",
        command=("-m", "notifications_service.consumer"),
        port=8003,
        servers=("rabbitmq",),
        page="/health/ready",
    ),
    _on_postgres("passengers_service", 8004),
    _on_postgres("reservations_service", 8005),
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
