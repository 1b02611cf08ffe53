"""MongoDB accounts, one a service: `python -m service_kit.commands.mongo_accounts user_service orders_service`.

Each may read and write the database of its name, and nothing else. Its password is read from the environment
(`USER_SERVICE_PASSWORD`); run again, it changes the password to what stands there now. `MONGODB_URI`, `MONGODB_USER`
and `MONGODB_PASSWORD` name the server, and the account that may make others.
"""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pymongo.errors import OperationFailure, PyMongoError

from service_kit.background import text_of
from service_kit.mongo.client import MongoDatabase, open_database
from service_kit.settings.environment import load_settings
from service_kit.settings.stores import MongoSettings

_ACCOUNTS: Final = "admin"
_THERE_IS_ONE: Final = 51003


def main(names: Sequence[str], environment: Mapping[str, str]) -> int:
    """Make or change the accounts, one line each.

    Returns:
        Exit status: 0 if all are as the environment says, else 1.
    """
    missing = [variable for name in names if not environment.get(variable := _variable(name))]
    if missing or not names:
        print(f"Set {', '.join(missing)}." if missing else "Name the accounts to make: user_service orders_service.")
        return 1
    accounts = {name: environment[_variable(name)] for name in names}
    try:
        asyncio.run(_make_all(load_settings(MongoSettings), accounts))
    except PyMongoError as error:
        print(f"MongoDB does not do as it should: {text_of(error)}")
        return 1
    return 0


def _variable(name: str) -> str:
    return f"{name.upper()}_PASSWORD"


async def _make_all(settings: MongoSettings, accounts: Mapping[str, str]) -> None:
    client = open_database(settings).client
    try:
        for name, password in accounts.items():
            print(f"{name}: {await make_account(client[_ACCOUNTS], name, password)}")
    finally:
        client.close()


async def make_account(admin: MongoDatabase, name: str, password: str) -> str:
    """Make the account, or give it this password and the rights of its own database alone; says which was done.

    Raises:
        PyMongoError: The server does not answer, or we may not.
    """
    account: dict[str, Any] = {
        "pwd": password,
        "roles": [{"role": role, "db": name} for role in ("readWrite", "dbAdmin")],
    }
    try:
        await admin.command("createUser", name, **account)
    except OperationFailure as error:
        if error.code != _THERE_IS_ONE:
            raise
        await admin.command("updateUser", name, **account)
        return "has the password that its variable says"
    return "made"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
