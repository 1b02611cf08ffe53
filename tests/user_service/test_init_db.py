import os
import subprocess
import sys
from pathlib import Path

from tests.user_service.conftest import Stored
from user_service.config.settings import UserSettings

ROOT = Path(__file__).parents[2]


def run(settings: UserSettings) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "user_service.init_db"],
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
