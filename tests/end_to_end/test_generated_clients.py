"""Clients that generators make of the published documents place an order and load passengers."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dev_stack.setup import node_tools, python_tools
from dev_stack.setup.node_tools import node_command
from dev_stack.setup.python_tools import python_of
from tests.end_to_end.conftest import Apis

SERVICES = ("orders_service", "passengers_service")
TYPES = [
    "--target",
    "esnext",
    "--module",
    "nodenext",
    "--allowImportingTsExtensions",
    "--noEmit",
    "--strict",
    "--skipLibCheck",
]


@pytest.fixture(scope="module")
def documents(apis: Apis, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what the services say of themselves."""
    folder = tmp_path_factory.mktemp("documents")
    for service in SERVICES:
        with apis.client(service) as client:
            (folder / f"{service}.json").write_bytes(client.get("/openapi.json").content)
    return folder


def run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def answered(apis: Apis, command: Sequence[str], folder: Path) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(run([*command, *(apis.url(service) for service in SERVICES), apis.key], folder))


def test_a_python_client_places_an_order_and_loads_passengers(apis: Apis, documents: Path, tmp_path: Path) -> None:
    python = python_of()
    for service in SERVICES:
        target = tmp_path / service.replace("_service", "_client")
        document = ["--path", str(documents / f"{service}.json"), "--output-path", str(target)]
        run([python, "-m", "openapi_python_client", "generate", "--meta", "none", *document], tmp_path)
    script = tmp_path / "order_and_load.py"
    script.write_bytes((python_tools.FOLDER / script.name).read_bytes())

    answers = answered(apis, [python, str(script)], tmp_path)

    assert answers["order"]["total"] == "59.97"
    assert answers["loaded"]["created"] == 3


def test_a_typescript_client_places_an_order_and_loads_passengers(apis: Apis, documents: Path, tmp_path: Path) -> None:
    generator = "node_modules/openapi-typescript/bin/cli.js"
    for service in SERVICES:
        run(node_command(generator, str(documents / f"{service}.json"), "-o", f"{service}.d.ts"), tmp_path)
    (tmp_path / "node_modules").symlink_to(node_tools.FOLDER / "node_modules")
    for name in ("order_and_load.ts", "package.json"):
        (tmp_path / name).write_bytes((node_tools.FOLDER / name).read_bytes())
    run(node_command("node_modules/typescript/bin/tsc", *TYPES, "order_and_load.ts"), tmp_path)

    answers = answered(apis, node_command(str(tmp_path / "order_and_load.ts")), tmp_path)

    assert answers["order"]["total"] == "59.97"
    assert answers["loaded"]["created"] == 3
