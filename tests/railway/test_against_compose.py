"""What runs on Railway is what runs with `docker compose up`."""

from typing import Any

import pytest

Node = dict[str, Any]

LOCAL_ONLY = {
    "gateway",  # spreads compose's replicas behind one port; on Railway the edge does that
    "passengers_init_db",  # on Railway the command that runs before a deploy
    "reservations_init_db",
}


def test_consists_of_the_services_of_compose(resources: dict[str, Node], composed: dict[str, Node]) -> None:
    deployed = {name for name, node in resources.items() if node["type"] != "volume"}

    assert deployed == set(composed) - LOCAL_ONLY


@pytest.mark.parametrize("server", ["mongodb", "rabbitmq"])
def test_runs_the_image_of_compose(resources: dict[str, Node], composed: dict[str, Node], server: str) -> None:
    assert resources[server]["source"]["image"] == composed[server]["image"]


def test_runs_the_postgresql_of_compose(resources: dict[str, Node], composed: dict[str, Node]) -> None:
    """Railway's own image of it, of the same major version."""
    _, _, major = composed["postgres"]["image"].partition(":")
    assert resources["postgres"]["source"]["image"].endswith(f":{major}")


def test_migrates_before_the_service_starts_as_compose_does(
    resources: dict[str, Node], composed: dict[str, Node], on_postgres: str
) -> None:
    [before] = resources[on_postgres]["deploy"]["preDeployCommand"]
    [(step, condition)] = composed[on_postgres]["depends_on"].items()
    assert condition == {"condition": "service_completed_successfully"}
    assert " ".join(composed[step]["command"]) == before == f"python -m {on_postgres}.init_db"


def test_builds_what_compose_builds(node: Node, composed: dict[str, Node], name: str) -> None:
    build = composed[name]["build"]

    assert build["dockerfile"] == node["build"]["dockerfilePath"]
    assert build["context"].rstrip("/") == "."


def test_connects_what_compose_connects(node: Node, composed: dict[str, Node], name: str) -> None:
    addresses = {"MONGODB_URI", "RABBITMQ_URL", "DATABASE_URL"}

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
