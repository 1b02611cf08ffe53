"""What runs on Railway is what runs with `docker compose up`."""

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
Node = dict[str, Any]

LOCAL_ONLY = {
    "gateway",  # spreads compose's replicas behind one port; on Railway the edge does that
    "mongodb_accounts",  # on Railway by hand: docs/railway.md
    "tools",  # commands that people run beside the services
}


def test_consists_of_the_services_of_compose(resources: dict[str, Node], composed: dict[str, Node]) -> None:
    deployed = {name for name, node in resources.items() if node["type"] != "volume"}

    assert deployed == set(composed) - LOCAL_ONLY


def test_runs_the_mongodb_of_compose(resources: dict[str, Node], composed: dict[str, Node]) -> None:
    assert resources["mongodb"]["source"]["image"] == composed["mongodb"]["image"]


def test_builds_the_broker_of_compose(resources: dict[str, Node], composed: dict[str, Node]) -> None:
    assert composed["rabbitmq"]["build"]["dockerfile"] == resources["rabbitmq"]["build"]["dockerfilePath"]


def test_gives_the_broker_the_passwords_that_compose_gives_it(
    resources: dict[str, Node], composed: dict[str, Node]
) -> None:
    given, wanted = (
        {key for key in variables if key.endswith("_PASSWORD")}
        for variables in (resources["rabbitmq"]["variables"], composed["rabbitmq"]["environment"])
    )

    assert given == wanted


def test_runs_the_postgresql_of_compose(resources: dict[str, Node], composed: dict[str, Node]) -> None:
    """Railway's own image of it, of the same major version."""
    _, _, major = composed["postgres"]["image"].partition(":")
    assert resources["postgres"]["source"]["image"].endswith(f":{major}")


def test_migrates_before_a_deploy_replaces_what_works(resources: dict[str, Node], on_postgres: str) -> None:
    """With compose a service migrates itself when it starts: there is no older one beside it."""
    assert resources[on_postgres]["deploy"]["preDeployCommand"] == [f"python -m {on_postgres}.init_db"]


def test_builds_what_compose_builds(node: Node, composed: dict[str, Node], name: str) -> None:
    build = composed[name]["build"]

    assert build["dockerfile"] == node["build"]["dockerfilePath"]
    assert build["context"].rstrip("/") == "."


def test_connects_what_compose_connects(node: Node, composed: dict[str, Node], name: str) -> None:
    addresses = {"MONGODB_URI", "RABBITMQ_URL", "RABBITMQ_USER", "RABBITMQ_PASSWORD", "DATABASE_URL"}

    assert addresses & set(composed[name]["environment"]) == addresses & set(node["variables"])


def test_restarts_a_service_as_compose_does(node: Node, composed: dict[str, Node], name: str) -> None:
    assert node["deploy"]["restartPolicyType"] == "ALWAYS"
    assert composed[name]["restart"] in {"always", "unless-stopped"}


def test_gives_a_service_as_long_to_stop_as_compose_does(node: Node, composed: dict[str, Node], name: str) -> None:
    assert composed[name]["stop_grace_period"] == f"{node['deploy']['drainingSeconds']}s"


def test_keeps_the_brokers_data_where_compose_keeps_it(resources: dict[str, Node], composed: dict[str, Node]) -> None:
    folder = resources["rabbitmq"]["volumeAttachments"]["rabbitmq-data"]["mountPath"]

    assert [volume for volume in composed["rabbitmq"]["volumes"] if volume.endswith(f":{folder}")] != []


def test_fixes_the_name_of_the_brokers_data_folder_as_compose_does(
    resources: dict[str, Node], composed: dict[str, Node]
) -> None:
    assert "RABBITMQ_NODENAME" in resources["rabbitmq"]["variables"]
    assert "hostname" in composed["rabbitmq"] or "RABBITMQ_NODENAME" in composed["rabbitmq"]["environment"]


def test_speaks_of_one_rabbitmq_everywhere() -> None:
    documents = ["README.md", "docs/railway.md", "deploy/rabbitmq/Dockerfile"]
    named = {tag for name in documents for tag in re.findall(r"rabbitmq:([0-9][\w.-]*)", (ROOT / name).read_text())}

    assert named == {"4.0-management"}
