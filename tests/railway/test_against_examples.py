"""The variables on Railway are those of the `.env.example` files, and docs/railway.md explains them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dev_stack.services import SERVICES

GUIDE = Path(__file__).parents[2] / "docs" / "railway.md"
NEEDED = {"API_KEY", "JWT_KEYS", "MONGODB_URI", "RABBITMQ_URL", "DATABASE_URL"}

Node = dict[str, Any]
Example = Callable[[str], dict[str, str]]


def test_sets_only_what_the_services_example_explains(node: Node, example: Example, name: str) -> None:
    own = {key for key in node["variables"] if not key.startswith("RAILWAY_")}

    assert own - set(example(name)) == set()


def test_gives_a_service_the_addresses_and_the_key_of_its_example(node: Node, example: Example, name: str) -> None:
    assert NEEDED & set(node["variables"]) == NEEDED & set(example(name))


def test_uses_the_port_of_the_services_example(node: Node, example: Example, name: str) -> None:
    assert node["variables"]["PORT"]["value"] == example(name)["PORT"]


@pytest.mark.parametrize("api", [row.name for row in SERVICES if "mongodb" in row.servers])
def test_uses_the_database_of_the_services_example(resources: dict[str, Node], example: Example, api: str) -> None:
    database = resources[api]["variables"]["MONGODB_DATABASE"]["value"]

    assert database == example(api)["MONGODB_DATABASE"] == api


def test_uses_the_tables_of_the_services_example(
    resources: dict[str, Node], example: Example, on_postgres: str
) -> None:
    database = resources[on_postgres]["variables"]["DATABASE_NAME"]["value"]

    assert database == example(on_postgres)["DATABASE_NAME"] == on_postgres


def test_needs_no_address_or_key_that_the_root_example_leaves_out(example: Example) -> None:
    assert NEEDED - set(example(".")) == set()


def test_explains_every_variable_in_the_guide(resources: dict[str, Node]) -> None:
    guide = GUIDE.read_text()
    names = {key for node in resources.values() for key in node.get("variables", {})}

    assert [name for name in sorted(names) if f"`{name}`" not in guide] == []
