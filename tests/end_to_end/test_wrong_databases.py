"""A service on another one's database ends with a sentence, instead of serving on it."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from pymongo import MongoClient

from dev_stack.ports import free_port
from dev_stack.servers.mongod import Mongod
from dev_stack.servers.postgres import Postgres
from dev_stack.services import named_services
from tests.support.system import ROOT


def start(name: str, folder: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Start a service that is expected to end."""
    [service] = named_services([name])
    here = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": str(free_port()), "ENV_FILE": ""}
    return subprocess.run(  # noqa: S603 - ours
        [sys.executable, *service.command],
        cwd=folder,
        env=here | settings,
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.fixture
def name() -> str:
    """Of a database."""
    return f"test_{uuid4().hex}"


def test_user_service_refuses_the_database_of_the_orders(mongod: Mongod, tmp_path: Path, name: str) -> None:
    with MongoClient[dict[str, object]](mongod.url) as client:
        client[name]["orders"].insert_one({"_id": 1})

        done = start("user_service", tmp_path, MONGODB_URI=mongod.url, MONGODB_DATABASE=name)

        assert client[name].list_collection_names() == ["orders"]
    assert done.returncode == 2
    assert done.stderr == (
        f"Cannot start: the database {name} holds orders, which user_service does not know: it is another one's. "
        "Set MONGODB_DATABASE to one of its own.\n"
    )
    assert "Traceback" not in done.stdout


def test_reservations_service_refuses_the_database_of_the_passengers(
    postgres: Postgres, tmp_path: Path, name: str
) -> None:
    settings = {"DATABASE_URL": postgres.url, "DATABASE_NAME": name, "RABBITMQ_URL": "amqp://127.0.0.1:1/"}
    [passengers] = named_services(["passengers_service"])
    here = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "ENV_FILE": ""}
    subprocess.run([sys.executable, *passengers.prepare], env=here | settings, cwd=tmp_path, check=True)  # noqa: S603 - ours

    done = start("reservations_service", tmp_path, **settings)

    assert done.returncode == 2
    assert done.stderr == (
        f"Cannot start: the database {name} is passengers_service's, and not reservations_service's: "
        "set DATABASE_NAME to one of its own.\n"
    )
    assert "Traceback" not in done.stdout
