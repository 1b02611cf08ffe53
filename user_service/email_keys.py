"""`python -m user_service.email_keys`: gives each stored user the key that its address has today.

Needed once after an upgrade that treats more spellings as one address. It changes no address and removes no user; it
prints the ids of two users whose addresses are the same now.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Final

from pymongo.errors import DuplicateKeyError, PyMongoError

from service_kit.background import text_of
from service_kit.fields.email import email_key
from service_kit.mongo.client import MongoCollection
from service_kit.settings.environment import load_settings
from user_service.config.database import open_store
from user_service.config.settings import UserSettings
from user_service.models.user import User

_NOT_ASCII: Final = r"[^\x00-\x7F]"
"""Only such keys can change: keys of ASCII letters are lower case already."""


async def renew(users: MongoCollection) -> AsyncIterator[tuple[bool, str]]:
    """Renew the keys that differ; yields a line for each, with whether a person has to look at its user.

    Raises:
        PyMongoError: The server does not answer, or refuses us.
    """
    async for user in users.find({"email_key": {"$regex": _NOT_ASCII}}, {"email": True, "email_key": True}):
        key = email_key(user["email"])
        if key == user["email_key"]:
            continue
        unchanged = {"_id": user["_id"], "email_key": user["email_key"]}
        try:
            await users.update_one(unchanged, {"$set": {"email_key": key}})
        except DuplicateKeyError:
            twin = await users.find_one({"email_key": key}, {"_id": True}) or {"_id": "another"}
            yield True, f"{user['_id']} and {twin['_id']} have one address in two spellings. Change or remove one."
        else:
            yield False, f"{user['_id']}: renewed"


async def _run(users: MongoCollection) -> int:
    twins = 0
    try:
        async for is_twin, line in renew(users):
            twins += is_twin
            print(line)
    except PyMongoError as error:
        print(f"MongoDB does not answer as it should: {text_of(error)}")
        return 1
    print(f"There are {twins} twins; see above." if twins else "Each user has the key of its address.")
    return int(twins > 0)


def main() -> int:
    """Renew them all.

    Returns:
        Exit status: 0 if each user has the key of its address, else 1.
    """
    store = open_store(load_settings(UserSettings))
    return asyncio.run(_run(store.database[User.Settings.name]))


if __name__ == "__main__":
    sys.exit(main())
