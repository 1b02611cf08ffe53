"""`python -m <service>.accounts`, as an operator runs it."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from typer.testing import CliRunner, Result

from service_kit.accounts.commands import account_commands
from service_kit.accounts.signing_keys import signing_keys_in
from service_kit.postgres.engine import make_engine
from service_kit.settings.stores import PostgresSettings
from tests.service_kit.accounts.conftest import KEYS
from tests.support.things.api import ThingsSettings
from tests.support.things.policy import POLICY
from tests.support.things.tables import SCHEMA

PASSWORD = "kindly open the gate 1"


class Commands:
    def __init__(self, settings: PostgresSettings) -> None:
        self._settings = settings
        self._app = account_commands(POLICY, SCHEMA, ThingsSettings)

    def run(self, *arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(self._app, arguments, input=typed)

    def value(self, statement: str) -> Any:  # noqa: ANN401 - of whatever type
        async def ask() -> Any:  # noqa: ANN401 - the same
            engine = make_engine(self._settings)
            async with engine.begin() as connection:
                found = await connection.execute(text(statement))
                value = found.scalar() if found.returns_rows else None
            await engine.dispose()
            return value

        return asyncio.run(ask())


@pytest.fixture
def commands(
    things_database: PostgresSettings,
    clean_environment: None,  # noqa: ARG001 - asked for what it does
    monkeypatch: pytest.MonkeyPatch,
) -> Commands:
    monkeypatch.setenv("DATABASE_URL", things_database.database_url.get_secret_value())
    monkeypatch.setenv("DATABASE_NAME", things_database.database_name)
    monkeypatch.setenv("BCRYPT_ROUNDS", "4")
    commands = Commands(things_database)
    commands.value("DELETE FROM accounts")
    return commands


def test_makes_an_account_with_a_password_from_standard_input(commands: Commands) -> None:
    arguments = ("create", "ana@example.com", "--role", "head", "--password-stdin")
    made = commands.run(*arguments, typed=f"{PASSWORD}\n")
    assert (made.exit_code, made.stdout) == (0, "Made the account ana@example.com with the role head.\n")
    assert commands.value("SELECT role || must_change_password FROM accounts") == "headfalse"

    again = commands.run(*arguments, typed=f"{PASSWORD}\n")
    assert (again.exit_code, again.stderr) == (1, "Another account has this e-mail address.\n")


def test_asks_for_the_password_twice(commands: Commands) -> None:
    made = commands.run("create", "ana@example.com", "--role", "head", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert made.exit_code == 0
    assert PASSWORD not in made.output


@pytest.mark.parametrize(
    ("email", "role", "password", "sentence"),
    [
        ("ana@example.com", "boss", PASSWORD, "body.role: Write one of the roles head, hand, guest."),
        ("no address", "head", PASSWORD, "email: "),
        ("ana@example.com", "head", "short", "password: A password has at least 8 characters."),
        ("ana@example.com", "head", "x" * 73, "password: A password has at most 72 bytes"),
        ("ana@example.com", "head", "password1", "Choose a password that is harder to guess"),
    ],
)
def test_says_in_one_sentence_why_it_makes_none(
    commands: Commands, email: str, role: str, password: str, sentence: str
) -> None:
    refused = commands.run("create", email, "--role", role, "--password-stdin", typed=f"{password}\n")
    assert refused.exit_code == 1
    assert refused.stderr.startswith(sentence)
    assert len(refused.stderr.splitlines()) == 1
    assert commands.value("SELECT count(*) FROM accounts") == 0


def test_disables_an_account_but_not_the_last_administrator(commands: Commands) -> None:
    for email, role in [("ana@example.com", "head"), ("eva@example.com", "hand")]:
        commands.run("create", email, "--role", role, "--password-stdin", typed=f"{PASSWORD}\n")
    assert commands.run("disable", "EVA@example.com").exit_code == 0
    assert commands.value("SELECT string_agg(email, ' ') FROM accounts WHERE NOT is_active") == "eva@example.com"

    refused = commands.run("disable", "ana@example.com")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("This is the last active account")
    assert commands.run("disable", "nobody@example.com").stderr == "No account has the address nobody@example.com.\n"


def test_gives_an_account_another_password(commands: Commands) -> None:
    commands.run("create", "ana@example.com", "--role", "head", "--password-stdin", typed=f"{PASSWORD}\n")
    before = commands.value("SELECT password_hash FROM accounts")
    changed = commands.run("password", "ana@example.com", "--password-stdin", typed="another gate stands open\n")
    assert changed.exit_code == 0
    assert commands.value("SELECT password_hash FROM accounts") != before


def test_prints_a_new_key_that_can_stand_before_the_others(commands: Commands) -> None:
    printed = commands.run("new-key").stdout.strip()
    keys = signing_keys_in(SecretStr(f"{printed},{KEYS}"))
    assert len(keys.by_kid) == 2
    assert len(keys.signing) >= 32
    assert commands.run("new-key").stdout.strip() != printed
