"""The descriptions of one and the same project, read and brought into comparable shape; nothing here asks Railway."""

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from dev_stack.services import SERVICES

ROOT = Path(__file__).parents[2]
Node = dict[str, Any]


@pytest.fixture(scope="session")
def project_file() -> ModuleType:
    """`.railway/railway.py`, loaded by its path as Railway's CLI does."""
    spec = importlib.util.spec_from_file_location("railway_project", ROOT / ".railway" / "railway.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def resources(project_file: ModuleType) -> dict[str, Node]:
    """What the project file lists, by name."""
    return {node["name"]: node for node in project_file.main().to_graph()["resources"]}


@pytest.fixture(scope="session")
def composed() -> dict[str, Node]:
    """The services of `docker-compose.yml`, each `environment` a dictionary."""
    services: dict[str, Node] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for service in services.values():
        given = service.get("environment") or {}
        service["environment"] = given if isinstance(given, dict) else dict(line.split("=", 1) for line in given)
    return services


@pytest.fixture(scope="session")
def example() -> Callable[[str], dict[str, str]]:
    """Reads the `.env.example` of a folder; a setting that stands there commented out counts too."""

    def read(folder: str) -> dict[str, str]:
        text = (ROOT / folder / ".env.example").read_text()
        return dict(re.findall(r"^(?:# ?)?([A-Z][A-Z0-9_]*)=(\S*)", text, flags=re.MULTILINE))

    return read


@pytest.fixture(params=[row.name for row in SERVICES])
def name(request: pytest.FixtureRequest) -> str:
    """Each service that is built from this repository, one after the other."""
    return str(request.param)


@pytest.fixture(params=[row.name for row in SERVICES if "postgres" in row.servers])
def on_postgres(request: pytest.FixtureRequest) -> str:
    """Each of them that keeps tables."""
    return str(request.param)


@pytest.fixture
def node(resources: dict[str, Node], name: str) -> Node:
    """What the project file says of that service."""
    return resources[name]
