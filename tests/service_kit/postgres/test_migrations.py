import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from dev_stack.ports import free_port
from service_kit.postgres.engine import make_engine, open_connection
from service_kit.postgres.migrations import Schema, downgrade, main, revise, upgrade
from service_kit.settings.stores import PostgresSettings
from service_kit.testing.schema_drift import drift
from tests.service_kit.conftest import PythonRunner
from tests.support.ledger.tables import METADATA, SCHEMA

DONE = "is as the code says."


class Told(list[str]):
    """What was told, a line each."""

    def __call__(self, line: str) -> None:
        self.append(line)


async def tables_of(settings: PostgresSettings) -> set[str]:
    engine = make_engine(settings)
    async with engine.connect() as connection:
        found = await connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        names = set(found)
    await engine.dispose()
    return names


async def run(settings: PostgresSettings, statement: str) -> None:
    engine = make_engine(settings)
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


async def differences(settings: PostgresSettings) -> list[str]:
    engine = make_engine(settings)
    found = await drift(engine, METADATA)
    await engine.dispose()
    return found


async def test_makes_the_database_goes_up_down_and_up_again(postgres_settings: PostgresSettings) -> None:
    told, name = Told(), postgres_settings.database_name
    await upgrade(postgres_settings, SCHEMA, told)
    assert told == [
        f"Made the database {name}.",
        "Applied 0001: Payments, outbox and inbox.",
        "Applied 0002: Notes.",
        f"The database {name} {DONE}",
    ]
    assert await differences(postgres_settings) == []

    told.clear()
    await downgrade(postgres_settings, SCHEMA, "base", told)
    assert told == ["Undid 0002: Notes.", "Undid 0001: Payments, outbox and inbox."]
    assert await tables_of(postgres_settings) == {"alembic_version"}

    await upgrade(postgres_settings, SCHEMA, told)
    assert await differences(postgres_settings) == []


async def test_several_that_start_at_once_do_it_once(postgres_settings: PostgresSettings) -> None:
    told = Told()
    await asyncio.gather(*(upgrade(postgres_settings, SCHEMA, told) for _ in range(5)))
    assert sorted(line for line in told if DONE not in line) == [
        "Applied 0001: Payments, outbox and inbox.",
        "Applied 0002: Notes.",
        f"Made the database {postgres_settings.database_name}.",
    ]
    assert len(told) == 8


async def test_two_databases_are_upgraded_by_one_process(postgres_settings: PostgresSettings) -> None:
    other = postgres_settings.model_copy(update={"database_name": f"{postgres_settings.database_name}_b"})
    await asyncio.gather(*(upgrade(settings, SCHEMA, Told()) for settings in (postgres_settings, other)))
    assert await differences(postgres_settings) == await differences(other) == []
    await asyncio.gather(*(downgrade(settings, SCHEMA, "base", Told()) for settings in (postgres_settings, other)))
    connection = await open_connection(postgres_settings)
    await connection.execute(f"DROP DATABASE {other.database_name}")
    await connection.close()


async def test_leaves_a_database_alone_that_is_ahead_of_the_code(postgres_settings: PostgresSettings) -> None:
    await upgrade(postgres_settings, SCHEMA, Told())
    await run(postgres_settings, "UPDATE alembic_version SET version_num = '0003'")
    told = Told()
    await upgrade(postgres_settings, SCHEMA, told)
    assert told == [f"The database {postgres_settings.database_name} {DONE}"]


async def test_as_a_command_it_ends_with_0_and_again_with_0(
    postgres_settings: PostgresSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(main, postgres_settings, SCHEMA, []) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert await asyncio.to_thread(main, postgres_settings, SCHEMA, []) == 0
    assert capsys.readouterr().out == f"The database {postgres_settings.database_name} {DONE}\n"


def test_says_in_one_line_without_the_password_that_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    away = PostgresSettings(database_url=SecretStr(f"postgres://me:geheim@127.0.0.1:{free_port()}"))
    assert main(away, SCHEMA, []) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("PostgreSQL cannot be used; DATABASE_URL says where it is: ")
    assert "geheim" not in line


async def test_says_which_statement_failed_and_keeps_the_revisions_before_it(
    postgres_settings: PostgresSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    await upgrade(postgres_settings, SCHEMA, Told())
    await downgrade(postgres_settings, SCHEMA, "base", Told())
    await run(postgres_settings, "CREATE TABLE payments_one_a_payer (id int)")  # the name of an index of 0002
    assert await asyncio.to_thread(main, postgres_settings, SCHEMA, []) == 1
    first, last, *_ = capsys.readouterr().out.splitlines()
    assert first == "Applied 0001: Payments, outbox and inbox."
    assert last.startswith("The migration failed, and its revision is undone: ")
    assert 'relation "payments_one_a_payer" already exists' in last
    assert "payments" in await tables_of(postgres_settings)


@pytest.fixture
def young(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Schema]:
    """A service whose code has tables and no revision yet."""
    (tmp_path / "young" / "migrations").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    yield Schema(METADATA, "young")
    shutil.rmtree(tmp_path / "young")


async def test_writes_the_revision_that_leads_to_the_code(postgres_settings: PostgresSettings, young: Schema) -> None:
    for number, text_ in [("0001", "Everything"), ("0002", "Nothing")]:
        await upgrade(postgres_settings, young, Told())
        told = Told()
        await revise(postgres_settings, young, text_, told)
        path = young.revisions / f"{number}_{text_.lower()}.py"
        assert told == [f"Wrote {path}: read it, then run this again without --new."]
        assert path.exists()
    await upgrade(postgres_settings, young, Told())
    assert await differences(postgres_settings) == []
    assert "op." not in path.read_text()


async def test_writes_no_revision_while_the_database_is_behind(
    postgres_settings: PostgresSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    await upgrade(postgres_settings, SCHEMA, Told())
    await downgrade(postgres_settings, SCHEMA, "0001", Told())
    before = set(SCHEMA.revisions.iterdir())
    assert await asyncio.to_thread(main, postgres_settings, SCHEMA, ["--new", "more"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("The migration failed")
    assert set(SCHEMA.revisions.iterdir()) == before


COMMAND = """
import sys
from service_kit.postgres.migrations import main
from service_kit.settings.environment import load_settings
from service_kit.settings.stores import PostgresSettings
from tests.support.ledger.tables import SCHEMA
sys.exit(main(load_settings(PostgresSettings), SCHEMA))
"""


async def test_two_processes_at_once_both_end_well(
    run_python: PythonRunner, postgres_settings: PostgresSettings
) -> None:
    url = postgres_settings.database_url.get_secret_value()
    environment = {"DATABASE_URL": url, "DATABASE_NAME": postgres_settings.database_name}
    both = [await run_python("-c", COMMAND, **environment) for _ in range(2)]
    assert [await one.ends() for one in both] == [0, 0]
    assert sorted(line for one in both for line in one.lines if line.startswith("Applied")) == [
        "Applied 0001: Payments, outbox and inbox.",
        "Applied 0002: Notes.",
    ]


DRIFTS = [
    ("ALTER TABLE payments DROP CONSTRAINT payments_are_positive", "only in the code: constraint payments."),
    ("ALTER TABLE payments ADD COLUMN more int", "only in the database: column payments.more integer"),
    (
        "ALTER TABLE payments ALTER COLUMN payer TYPE varchar(9)",
        "only in the code: column payments.payer text NOT NULL",
    ),
    ("ALTER TABLE payments ALTER COLUMN note DROP DEFAULT", "only in the code: column payments.note text NOT NULL"),
    ("ALTER TABLE payments ALTER COLUMN note DROP NOT NULL", "only in the database: column payments.note text DEF"),
    ("ALTER TABLE payments ALTER COLUMN is_large DROP EXPRESSION", "only in the code: column payments.is_large text"),
    ("DROP INDEX payments_one_a_payer", "only in the code: index CREATE UNIQUE INDEX payments_one_a_payer ON payment"),
    (
        "DROP INDEX payments_one_a_payer; CREATE UNIQUE INDEX payments_one_a_payer ON payments (payer)",
        "only in the database: index CREATE UNIQUE INDEX payments_one_a_payer ON payments USING btree (payer)",
    ),
    ("CREATE TABLE by_hand (id int)", "only in the database: column by_hand.id integer"),
    ("DROP TABLE inbox", "only in the code: column inbox.identity bytea NOT NULL"),
]


@pytest.mark.parametrize(("statements", "line"), DRIFTS, ids=[statements for statements, _ in DRIFTS])
async def test_finds_where_database_and_code_differ(
    postgres_settings: PostgresSettings, statements: str, line: str
) -> None:
    await upgrade(postgres_settings, SCHEMA, Told())
    for statement in statements.split(";"):
        await run(postgres_settings, statement)
    assert any(found.startswith(line) for found in await differences(postgres_settings))


async def test_looking_for_differences_leaves_nothing_behind(postgres_settings: PostgresSettings) -> None:
    await upgrade(postgres_settings, SCHEMA, Told())
    assert await differences(postgres_settings) == await differences(postgres_settings) == []
