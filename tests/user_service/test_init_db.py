import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import httpx
from bson import ObjectId

from tests.support.api_client import is_ready
from tests.support.rabbit_support import until
from tests.user_service.conftest import PASSWORD, Stored
from user_service.config.settings import UserSettings

ROOT = Path(__file__).parents[2]


def run(settings: UserSettings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "user_service.init_db", *arguments],
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


async def test_makes_the_index_of_the_users(settings: UserSettings, stored: Stored) -> None:
    first = run(settings)
    second = run(settings)

    assert (first.returncode, second.returncode) == (0, 0)
    assert "users.email_key: was missing; made it" in first.stdout
    assert "users.email_key: is there" in second.stdout
    assert (await stored.index_information())["email_key"]["unique"]


async def test_reports_an_index_that_it_does_not_know(settings: UserSettings, stored: Stored) -> None:
    await stored.create_index("name", name="by_hand")

    result = run(settings)

    assert result.returncode == 1
    assert "users.by_hand: " in result.stdout


async def test_users_of_one_address_are_told_and_settled_without_losing_one(
    api: httpx.AsyncClient, stored: Stored, settings: UserSettings
) -> None:
    ana = {"name": "Ana", "email": "ana@example.com", "password": PASSWORD}
    oldest = (await api.post("/users/", json=ana)).json()
    document = await stored.find_one({})
    assert document
    await stored.drop_index("email_key")
    younger = ObjectId()
    await stored.insert_one({**document, "_id": younger, "created_at": document["created_at"] + timedelta(seconds=1)})

    async def is_told() -> bool:
        verdict = (await api.get("/health/ready")).json()["checks"]["mongodb"]
        return f"documents {oldest['id']}, {younger}. `python -m user_service.init_db" in verdict

    await until(is_told)
    assert f'users.email_key: "ana@example.com": {oldest["id"]} would keep it' in run(settings, "duplicates").stdout

    settled = run(settings, "settle")

    assert settled.returncode == 0, settled.stdout
    await until(lambda: is_ready(api))
    assert (await api.post("/users/", json=ana)).status_code == 409
    listed = (await api.get("/users/", params={"email_prefix": "ana@example.com"})).json()["items"]
    assert {user["id"] for user in listed} == {oldest["id"], str(younger)}
    changed = await api.put(f"/users/{younger}", json={"email": "ana.two@example.com"})
    assert (changed.status_code, changed.json()["email"]) == (200, "ana.two@example.com")
