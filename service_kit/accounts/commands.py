"""`python -m <service>.accounts`: what an operator does with accounts, beside the service.

A service makes its own in a module `accounts.py`:

    app = account_commands(POLICY, SCHEMA, LoansSettings)
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final

import structlog
import typer
from pydantic import SecretStr, TypeAdapter, ValidationError
from sqlalchemy import select

from service_kit.accounts.history import Origin
from service_kit.accounts.management import AccountManagement
from service_kit.accounts.models import NewAccount
from service_kit.accounts.password_setting import PasswordSetting
from service_kit.accounts.passwords import PasswordHasher
from service_kit.accounts.policy import AccountPolicy
from service_kit.accounts.refresh_tokens import RefreshTokens
from service_kit.accounts.rows import AccountRow, lenient_key
from service_kit.accounts.sessions import Sessions
from service_kit.accounts.settings import AccountsSettings
from service_kit.accounts.signing_keys import SigningKeys, new_key
from service_kit.clock import utc_now
from service_kit.fields.password import Password
from service_kit.postgres.migrations import Schema
from service_kit.postgres.store import PostgresStore
from service_kit.problems import ServiceError
from service_kit.settings.environment import load_settings
from service_kit.settings.stores import PostgresSettings

_Email = Annotated[str, typer.Argument(help="Of the account.")]
_FromInput = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
_PASSWORD: Final[TypeAdapter[SecretStr]] = TypeAdapter(Password)
_NO_KEYS: Final = SigningKeys("", {"": b""})
"""A command begins no session."""


class CommandError(ServiceError):
    """The command cannot do that; its sentence is printed."""


class _Tools:
    """What the commands work with."""

    def __init__(self, policy: AccountPolicy, schema: Schema, settings: Any) -> None:  # noqa: ANN401 - both kinds of settings
        self.store = PostgresStore(settings, schema)
        self.hasher = PasswordHasher(settings.bcrypt_rounds, threads=1)
        sessions = Sessions(policy.tables.sessions, RefreshTokens(_NO_KEYS))
        is_production = settings.environment == "production"
        self.passwords = PasswordSetting(self.store, policy, sessions, self.hasher, is_production=is_production)
        self.management = AccountManagement(self.store, policy, sessions, self.hasher, self.passwords)
        self._accounts = policy.tables.accounts

    async def account(self, email: str) -> AccountRow:
        """The account of an address.

        Raises:
            CommandError: There is none.
        """
        async with self.store.transaction() as session:
            query = select(self._accounts).where(self._accounts.c.email_key == lenient_key(email))
            row = (await session.execute(query)).one_or_none()
        if row is None:
            raise CommandError(f"No account has the address {email}.")
        return row


@dataclass(frozen=True)
class _Runner:
    """Does what a command is for, and prints what has come of it."""

    policy: AccountPolicy
    schema: Schema
    settings_type: type[AccountsSettings] | type[PostgresSettings]

    def __call__(self, work: Callable[[_Tools], Awaitable[str]]) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("WARNING"))
        try:
            print(asyncio.run(self._done(load_settings(self.settings_type), work)))
        except ServiceError as error:
            print(error.detail, file=sys.stderr)
            raise typer.Exit(1) from None

    async def _done(self, settings: Any, work: Callable[[_Tools], Awaitable[str]]) -> str:  # noqa: ANN401 - both kinds of settings
        tools = _Tools(self.policy, self.schema, settings)
        try:
            await tools.store.prepare()
            return await work(tools)
        finally:
            tools.hasher.close()
            await tools.store.engine.dispose()


def account_commands(
    policy: AccountPolicy, schema: Schema, settings_type: type[AccountsSettings] | type[PostgresSettings]
) -> typer.Typer:
    """The commands of one service.

    Args:
        policy: Its accounts.
        schema: Its database.
        settings_type: Its settings, which are both of accounts and of PostgreSQL.
    """
    app = typer.Typer(no_args_is_help=True, add_completion=False, help="Accounts: create, disable, password, new-key.")
    run = _Runner(policy, schema, settings_type)
    _add_create(app, run)
    _add_disable(app, run)
    _add_password(app, run)
    app.command("new-key")(_print_new_key)
    return app


def _add_create(app: typer.Typer, run: _Runner) -> None:
    roles = ", ".join(run.policy.permissions.roles)

    @app.command()
    def create(
        email: _Email,
        role: Annotated[str, typer.Option(help=f"One of {roles}.")],
        name: Annotated[str, typer.Option(help="Of its owner.")] = "",
        *,
        password_stdin: _FromInput = False,
    ) -> None:
        """Make an account; the password is asked for."""
        password = _password(from_input=password_stdin)
        with _mistakes_told():
            new = NewAccount(email=email, name=name or email, role=role, password=password)

        async def work(tools: _Tools) -> str:
            await tools.management.create(new, Origin())
            return f"Made the account {email} with the role {role}."

        run(work)


def _add_disable(app: typer.Typer, run: _Runner) -> None:
    @app.command()
    def disable(email: _Email) -> None:
        """Deactivate an account, and end its sessions."""

        async def work(tools: _Tools) -> str:
            row = await tools.account(email)
            await tools.management.change(row.id, {"is_active": False}, accepted=None, origin=Origin())
            return f"The account {email} is not active any more, and its sessions have ended."

        run(work)


def _add_password(app: typer.Typer, run: _Runner) -> None:
    @app.command()
    def password(email: _Email, *, password_stdin: _FromInput = False) -> None:
        """Give an account another password, and end its sessions; the password is asked for."""
        chosen = _password(from_input=password_stdin)

        async def work(tools: _Tools) -> str:
            await tools.passwords.replace((await tools.account(email)).id, chosen, Origin())
            return f"The account {email} has the new password, and its sessions have ended."

        run(work)


def _print_new_key() -> None:
    """Print a key for JWT_KEYS: put it first, and leave the former ones behind it until their tokens are over."""
    print(new_key(utc_now()))


def _password(*, from_input: bool) -> SecretStr:
    if from_input:
        text = sys.stdin.readline().rstrip("\r\n")
    else:
        text = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    with _mistakes_told("password"):
        return _PASSWORD.validate_python(text)


@contextmanager
def _mistakes_told(about: str = "") -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = about or ".".join(str(part) for part in first["loc"])
        print(f"{where}: {first['msg'].removeprefix('Value error, ')}.", file=sys.stderr)
        raise typer.Exit(1) from None
