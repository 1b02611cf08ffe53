"""What linters find in the published documents; `.spectral.yaml` and `redocly.yaml` say what they leave out and why."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

import loans_service.main
import orders_service.main
import passengers_service.main
import reservations_service.main
import user_service.main
from dev_stack.setup.node_tools import node_command
from loans_service.config.settings import LoansSettings
from orders_service.config.settings import OrdersSettings
from passengers_service.config.settings import PassengersSettings
from reservations_service.config.settings import ReservationsSettings
from user_service.config.settings import UserSettings

ROOT = Path(__file__).parents[2]
KEY = SecretStr("a-key")  # so that the documents tell of it

APIS: dict[str, Callable[[], FastAPI]] = {
    "loans_service": lambda: loans_service.main.build(LoansSettings()),
    "user_service": lambda: user_service.main.build(UserSettings(api_key=KEY)),
    "orders_service": lambda: orders_service.main.build(OrdersSettings(api_key=KEY)),
    "passengers_service": lambda: passengers_service.main.build(PassengersSettings(api_key=KEY)),
    "reservations_service": lambda: reservations_service.main.build(ReservationsSettings(api_key=KEY)),
}
LINTERS = {
    "spectral": [
        "@stoplight/spectral-cli/dist/index.js",
        "lint",
        "--fail-severity=hint",
        "--ruleset",
        ".spectral.yaml",
    ],
    "redocly": ["@redocly/cli/bin/cli.js", "lint", "--format=stylish", "--config", "redocly.yaml"],
}


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files of all documents."""
    folder = tmp_path_factory.mktemp("documents")
    files = {name: folder / f"{name}.json" for name in APIS}
    for name, file in files.items():
        file.write_text(json.dumps(APIS[name]().openapi()))
    return [str(file) for file in files.values()]


@pytest.mark.parametrize("linter", LINTERS)
def test_a_linter_finds_nothing(documents: list[str], linter: str) -> None:
    script, *arguments = LINTERS[linter]
    found = subprocess.run(  # noqa: S603 - our own command
        [*node_command(f"node_modules/{script}"), *arguments, *documents],
        cwd=ROOT,
        env={**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert found.returncode == 0, found.stdout + found.stderr
