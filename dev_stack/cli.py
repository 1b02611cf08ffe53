"""The command line: `python -m dev_stack up`, and what the Makefile needs beside it."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Final

import typer

from dev_stack.errors import StackError
from dev_stack.servers.catalog import SERVERS, Embedded, servers_for
from dev_stack.services import SERVICES, Service, named_services
from dev_stack.setup import api_reference, chromium, node_tools, python_tools
from dev_stack.setup import declared as declared_dependencies
from dev_stack.setup import imports as import_contracts
from dev_stack.setup import rows as repeated_rows
from dev_stack.setup import vocabulary as avoided_names
from dev_stack.setup.requirements import check_all, write_all
from dev_stack.supervision import single_instance as data_lock
from dev_stack.supervision.addresses import published
from dev_stack.supervision.plan import Plan, environment_of
from dev_stack.supervision.supervisor import Supervisor

ROOT: Final = Path(__file__).resolve().parent.parent

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.command()
def up(services: Annotated[list[str] | None, typer.Argument(help="Names; all when none is given.")] = None) -> None:
    """Start embedded servers and services; keep them running until Ctrl-C."""
    run_stack(named_services(services or []), root=ROOT, environment=os.environ)


@app.command()
def install() -> None:
    """Install what the machine lacks for the embedded servers and for the tests."""
    for kind in servers_for(list(SERVERS), environment_of(ROOT, os.environ)).values():
        if isinstance(kind, Embedded):
            kind.server.install()
    chromium.install()
    node_tools.install()
    python_tools.install()


@app.command()
def services() -> None:
    """List the services."""
    for service in SERVICES:
        print(f"{service.name:<24} port {service.port}")


@app.command()
def lock(
    *,
    check: Annotated[bool, typer.Option("--check", help="Only say whether one is stale.")] = False,
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Take the newest versions.")] = False,
) -> None:
    """Compile the requirements files from pyproject.toml."""
    if check:
        for sentence in check_all(ROOT):
            print(sentence)
    else:
        write_all(ROOT, *(["--upgrade"] if upgrade else []))


@app.command()
def rows(*, check: Annotated[bool, typer.Option("--check", help="Only say what differs.")] = False) -> None:
    """Write what follows from the table of services into the files that repeat it."""
    if check:
        repeated_rows.check(ROOT)
    else:
        repeated_rows.write(ROOT)


@app.command()
def api(*, check: Annotated[bool, typer.Option("--check", help="Only say whether one is stale.")] = False) -> None:
    """Write docs/api, the reference of the APIs, from what the code says of itself."""
    if check:
        api_reference.check(ROOT)
    else:
        api_reference.write(ROOT)


@app.command()
def declared() -> None:
    """Check that pyproject.toml declares what the code imports, and nothing else."""
    declared_dependencies.check_all(ROOT)


@app.command()
def imports() -> None:
    """Check that imports point where the contracts of pyproject.toml say."""
    import_contracts.check(ROOT)


@app.command()
def vocabulary() -> None:
    """Check that the code uses no name that the glossary avoids."""
    avoided_names.check(ROOT)


def run_stack(services: Sequence[Service], *, root: Path, environment: Mapping[str, str]) -> None:
    """Run these services and the servers that they need, until a signal.

    Raises:
        StackError: When something cannot be started; nothing is left running.
    """
    plan = Plan.of(services, root=root, environment=environment_of(root, environment))
    with data_lock.held(root) if plan.embedded else nullcontext():
        plan.refuse_taken_ports()
        for server in plan.embedded.values():
            server.install()
        with published(plan) if plan.embedded else nullcontext():
            asyncio.run(Supervisor(plan).run())


def main() -> None:
    """Run a command; a `StackError` is a sentence on stderr and status 1."""
    try:
        app()
    except StackError as error:
        sys.exit(str(error))
