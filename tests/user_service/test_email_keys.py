import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId

from tests.user_service.conftest import Stored
from user_service.config.settings import UserSettings

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
async def users(stored: Stored) -> Stored:
    """With the index, so that one key is one user."""
    await stored.create_index("email_key", name="email_key", unique=True)
    return stored


async def keep(users: Stored, email: str, key: str) -> ObjectId:
    """Store a user as an older release did."""
    user: dict[str, Any] = {"name": "Ana", "email": email, "email_key": key, "password_hash": "", "version": 1}
    inserted: ObjectId = (await users.insert_one({**user, "created_at": NOW, "updated_at": NOW})).inserted_id
    return inserted


async def key_of(users: Stored, user_id: ObjectId) -> str:
    user = await users.find_one({"_id": user_id})
    assert user is not None
    return str(user["email_key"])


def run(settings: UserSettings) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "user_service.email_keys"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "MONGODB_URI": settings.mongodb_uri.get_secret_value(),
            "MONGODB_DATABASE": settings.mongodb_database,
        },
        check=False,
        capture_output=True,
        text=True,
    )


async def test_renews_the_keys_of_an_older_release(settings: UserSettings, users: Stored) -> None:
    wide = await keep(users, "\uff41na@example.com", "\uff41na@example.com")
    hidden = await keep(users, "b\ufe0fea@example.com", "b\ufe0fea@example.com")
    others = [await keep(users, email, email) for email in ("ana@example.org", "ñandú@example.com")]

    first, second = run(settings), run(settings)

    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.count("renewed") == 2
    assert second.stdout == "Each user has the key of its address.\n"
    assert [await key_of(users, one) for one in (wide, hidden)] == ["ana@example.com", "bea@example.com"]
    assert [await key_of(users, one) for one in others] == ["ana@example.org", "ñandú@example.com"]


async def test_tells_of_twins_and_leaves_them(settings: UserSettings, users: Stored) -> None:
    ana = await keep(users, "ana@example.com", "ana@example.com")
    twin = await keep(users, "an\u115fa@example.com", "an\u115fa@example.com")

    told = run(settings)

    assert told.returncode == 1
    assert f"{twin} and {ana} have one address in two spellings" in told.stdout
    assert "example.com" not in told.stdout
    assert await key_of(users, twin) == "an\u115fa@example.com"


def test_says_so_when_mongodb_is_away(settings: UserSettings) -> None:
    away = settings.model_copy(update={"mongodb_uri": type(settings.mongodb_uri)("mongodb://127.0.0.1:9")})

    told = run(away)

    assert told.returncode == 1
    assert "MongoDB does not answer as it should" in told.stdout
