from collections.abc import Iterator
from typing import Any

import pymongo
import pytest
from pydantic import SecretStr
from pymongo.errors import OperationFailure

from dev_stack.servers.mongod import Mongod
from service_kit.commands.mongo_accounts import main
from service_kit.settings.addresses import with_account

pytestmark = pytest.mark.usefixtures("clean_environment")

NAME = "accounts_of_tests"
PASSWORD = 'p@ss/w#1 "\\ $x'


@pytest.fixture
def admin(
    mongod: Mongod,
    clean_environment: None,  # noqa: ARG001 - it goes first, and would hide our address
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[pymongo.MongoClient[Any]]:
    """A server without our account, and its address in the environment."""
    monkeypatch.setenv("MONGODB_URI", mongod.url)
    with pymongo.MongoClient[Any](mongod.url) as client:
        yield client
        client.admin.command("dropAllUsersFromDatabase")


def _is_let_in(mongod: Mongod, password: str) -> bool:
    address = with_account(SecretStr(mongod.url), NAME, SecretStr(password)).get_secret_value()
    try:
        with pymongo.MongoClient[Any](address) as client:
            client.admin.command("ping")
    except OperationFailure:
        return False
    return True


def test_makes_an_account_for_its_own_database_alone(mongod: Mongod, admin: pymongo.MongoClient[Any]) -> None:
    assert main([NAME], {"ACCOUNTS_OF_TESTS_PASSWORD": PASSWORD}) == 0

    [account] = admin.admin.command("usersInfo", NAME)["users"]
    assert {(role["role"], role["db"]) for role in account["roles"]} == {("readWrite", NAME), ("dbAdmin", NAME)}
    assert _is_let_in(mongod, PASSWORD)
    assert not _is_let_in(mongod, "another")


def test_changes_the_password_of_an_account_that_is_there(
    mongod: Mongod, admin: pymongo.MongoClient[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    admin.admin.command("createUser", NAME, pwd="old", roles=["root"])

    assert main([NAME], {"ACCOUNTS_OF_TESTS_PASSWORD": "new"}) == 0

    assert capsys.readouterr().out == f"{NAME}: has the password that its variable says\n"
    assert (_is_let_in(mongod, "old"), _is_let_in(mongod, "new")) == (False, True)
    [account] = admin.admin.command("usersInfo", NAME)["users"]
    assert {role["role"] for role in account["roles"]} == {"readWrite", "dbAdmin"}


@pytest.mark.parametrize(
    ("names", "environment", "told"),
    [
        ([], {}, "Name the accounts to make: user_service orders_service.\n"),
        (["a", "b"], {"A_PASSWORD": "", "B_PASSWORD": "there"}, "Set A_PASSWORD.\n"),
    ],
)
def test_says_what_it_lacks(
    capsys: pytest.CaptureFixture[str], names: list[str], environment: dict[str, str], told: str
) -> None:
    assert main(names, environment) == 1
    assert capsys.readouterr().out == told


@pytest.mark.usefixtures("admin")
def test_tells_in_one_line_that_it_may_not(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MONGODB_USER", "nobody")
    monkeypatch.setenv("MONGODB_PASSWORD", "geheim")

    assert main([NAME], {"ACCOUNTS_OF_TESTS_PASSWORD": "mine"}) == 1

    told = capsys.readouterr().out
    assert told.startswith("MongoDB does not do as it should: Authentication failed.")
    assert "geheim" not in told
