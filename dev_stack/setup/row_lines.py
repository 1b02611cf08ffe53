"""What each file repeats of the rows, and in which words."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from dev_stack.services import Service

Lines = Callable[[Sequence[Service], str], Iterable[str]]
"""The lines of a region, from the rows and the file's present text."""


def _short(service: Service) -> str:
    return service.name.removesuffix("_service")


def _on(server: str, services: Sequence[Service]) -> list[Service]:
    return [service for service in services if server in service.servers]


def _profiles(services: Sequence[Service]) -> str:
    return ", ".join(dict.fromkeys([*(service.profile for service in services if service.profile), "all"]))


def _processes(services: Sequence[Service], _text: str) -> Iterable[str]:
    return [f"{service.name}: python {' '.join(service.command)}" for service in services]


def _listeners(services: Sequence[Service], _text: str) -> Iterable[str]:
    for service in services:
        yield ""
        yield f"listen {service.name}"
        yield f"    bind :{service.port}"
        yield f"    server-template replica 30 {service.name}:{service.port}"


def _compose(services: Sequence[Service], _text: str) -> Iterable[str]:
    yield "x-rows:"
    yield "  passwords: # of a service's accounts, at each of its stores"
    yield from (f"    {_short(one)}: &{_short(one)}-password ${{{one.password}:-services}}" for one in services)
    for server in ("mongodb", "postgres", "rabbitmq"):
        yield f"  {server}: &{server}-passwords"
        yield from (f"    {one.password}: *{_short(one)}-password" for one in _on(server, services))
    accounts = ", ".join(service.name for service in _on("mongodb", services))
    yield f"  mongodb_accounts: &mongodb-accounts [python, -m, service_kit.commands.mongo_accounts, {accounts}]"
    yield f"  postgres_profiles: &postgres-profiles [{_profiles(_on('postgres', services))}]"
    yield "  ports: &ports"
    yield from (f'    - "127.0.0.1:${{{one.name.upper()}_PORT:-{one.port}}}:{one.port}"' for one in services)
    yield f"  always: &always [{', '.join(service.name for service in services if not service.profile)}]"


def _databases(services: Sequence[Service], _text: str) -> Iterable[str]:
    for service in _on("postgres", services):
        yield ""
        yield f"\\set service {service.name}"
        yield f"\\getenv password {service.password}"
        yield "\\ir account.psql"


def _accounts(services: Sequence[Service], _text: str) -> Iterable[str]:
    yield "accounts=("
    for service in services:
        if account := service.broker:
            queues = "|".join(account.queues)
            yield f'  "{service.name} {account.vhost} {queues} {account.reads} {account.publishes or "-"}"'
    yield ")"


def _example(services: Sequence[Service], _text: str) -> Iterable[str]:
    yield "# Passwords may have any characters; put one with a $ in single quotes. Make your own, all at once:"
    names = " ".join(["MONGODB_ROOT", "POSTGRES", "RABBITMQ", *(service.name.upper() for service in services)])
    yield f"#   for name in {names}; \\"
    yield '#     do echo "${name}_PASSWORD=$(openssl rand -hex 24)"; done >> .env'
    yield "# Of each service's accounts at its stores. RabbitMQ and MongoDB read them at each start, PostgreSQL at the"
    yield "# first one alone."
    yield from (f"# {service.password}=services" for service in services)
    yield "# Ports of this machine; all of them on 127.0.0.1."
    yield from (f"# {service.name.upper()}_PORT={service.port}" for service in services)


def _development(services: Sequence[Service], text: str) -> Iterable[str]:
    """A group that is not written yet is not included yet."""
    groups = [service.name.replace("_", "-") for service in services]
    return [
        f'    {{ include-group = "{group}" }},' for group in groups if re.search(rf"^{group} = \[", text, re.MULTILINE)
    ]


def _readme(services: Sequence[Service], _text: str) -> Iterable[str]:
    yield "| service | port | what |"
    yield "|---|---|---|"
    yield from (f"| [`{one.name}`]({one.name}/README.md) | {one.port} | {one.what} |" for one in services)


def _railway_table(services: Sequence[Service], _text: str) -> Iterable[str]:
    yield "| service | what our image does | public URL |"
    yield "|---|---|---|"
    for service in services:
        pages = "`/docs`" if service.kind == "api" else "`/health/live`, `/health/ready`, `/metrics`"
        yield f"| `{service.name}` | {service.what} | yes, port {service.port}: {pages} |"


def _railway_secrets(services: Sequence[Service], _text: str) -> Iterable[str]:
    names = ["API_KEY", "RABBITMQ_PASSWORD", *(service.password for service in services if service.broker)]
    yield f"   for name in {' '.join(names)}; do"
    yield '     echo "$name=$(openssl rand -hex 24)"'
    yield "   done"


def _railway_domains(services: Sequence[Service], _text: str) -> Iterable[str]:
    return [f"   railway domain --service {service.name} --port {service.port}" for service in services]


LINES: Final[Mapping[str, Mapping[str, Lines]]] = {
    "Procfile": {"processes": _processes},
    "docker-compose.yml": {"compose": _compose},
    "deploy/gateway/haproxy.cfg": {"listeners": _listeners},
    "deploy/postgres/accounts.sql": {"databases": _databases},
    "deploy/rabbitmq/definitions": {"accounts": _accounts},
    ".env.example": {"example": _example},
    "pyproject.toml": {"development": _development},
    "README.md": {"services": _readme},
    "docs/railway.md": {"table": _railway_table, "secrets": _railway_secrets, "domains": _railway_domains},
}
