"""`.railway/railway.py`, evaluated offline: what an apply would make of it."""

import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from railway_sdk import create_railway_context
from starlette.applications import Starlette

from dev_stack.services import SERVICES
from service_kit.observability.health import health_routes
from service_kit.runtime.serve import server_config

ROOT = Path(__file__).parents[2]
Node = dict[str, Any]

# What Railway reads; it passes over a misspelt key in silence.
BUILD_KEYS = {"builder", "buildCommand", "dockerfilePath", "watchPatterns"}
DEPLOY_KEYS = {
    *("startCommand", "preDeployCommand", "healthcheckPath", "healthcheckTimeout", "restartPolicyType"),
    *("restartPolicyMaxRetries", "overlapSeconds", "drainingSeconds", "multiRegionConfig", "cronSchedule"),
}
ACCOUNTS = [row.name for row in SERVICES if row.broker]
ADDRESSES = {"MONGODB_URI", "RABBITMQ_URL", "DATABASE_URL"}


@pytest.mark.parametrize("arguments", [(), (create_railway_context(environment="production"),)])
def test_evaluates_under_old_and_new_versions_of_the_cli(
    project_file: ModuleType, arguments: tuple[object, ...]
) -> None:
    graph = project_file.main(*arguments).to_graph()

    assert graph["name"] == "delivered"
    assert json.loads(json.dumps(graph)) == graph


def test_builds_a_service_from_the_whole_repository(project_file: ModuleType, node: Node) -> None:
    assert node["source"] == {"type": "github", "repo": project_file.REPOSITORY, "branch": "main"}


def test_builds_a_service_anew_for_its_own_changes_and_the_kits(node: Node, name: str) -> None:
    assert node["build"]["watchPatterns"] == [f"/{name}/**", "/service_kit/**"]


def test_names_the_dockerfile_in_both_of_its_places(node: Node, name: str) -> None:
    assert node["build"]["dockerfilePath"] == f"{name}/Dockerfile"
    assert node["variables"]["RAILWAY_DOCKERFILE_PATH"]["value"] == f"{name}/Dockerfile"


def test_uses_only_keys_that_railway_reads(resources: dict[str, Node]) -> None:
    services = [node for node in resources.values() if node["type"] == "service"]

    assert {key for node in services for key in node.get("build", {})} <= BUILD_KEYS
    assert {key for node in services for key in node["deploy"]} <= DEPLOY_KEYS


def test_asks_for_readiness_where_every_service_answers(node: Node) -> None:
    assert node["deploy"]["healthcheckPath"] == "/health/ready"
    assert node["deploy"]["healthcheckPath"] in {route.path for route in health_routes([])}


def test_kills_no_service_that_is_still_finishing(node: Node) -> None:
    finish_seconds = server_config(Starlette()).timeout_graceful_shutdown

    assert finish_seconds is not None
    assert node["deploy"]["drainingSeconds"] >= finish_seconds + 5


def test_leaves_no_dockerfile_at_the_root_where_railway_takes_it_for_every_service() -> None:
    assert not (ROOT / "Dockerfile").exists()


def test_runs_a_service_as_production_and_on_every_address(node: Node) -> None:
    assert node["variables"]["ENVIRONMENT"]["value"] == "production"
    assert node["variables"]["HOST"]["value"] == "*"


def test_takes_every_address_by_reference(resources: dict[str, Node]) -> None:
    mongodb = {"type": "reference", "resource": "database.mongodb", "output": "MONGO_URL"}
    rabbitmq = {"type": "reference", "resource": "service.rabbitmq", "output": "RABBITMQ_URL"}
    passengers = {"type": "reference", "resource": "service.rabbitmq", "output": "PASSENGERS_RABBITMQ_URL"}
    postgres = {"type": "reference", "resource": "database.postgres", "output": "DATABASE_URL"}
    addresses = {
        name: [value for key, value in node["variables"].items() if key in ADDRESSES]
        for name, node in resources.items()
        if name.endswith("_service")
    }

    assert addresses == {
        row.name: [
            *([mongodb] if "mongodb" in row.servers else []),
            *([postgres] if "postgres" in row.servers else []),
            *([rabbitmq if row.broker.vhost == "/" else passengers] if row.broker else []),
        ]
        for row in SERVICES
    }


def test_holds_no_secret_itself(resources: dict[str, Node]) -> None:
    accounts = {name: f"${{{{shared.{name.upper()}_PASSWORD}}}}" for name in ACCOUNTS}
    secrets = {
        (name, key): variable["value"]
        for name, node in resources.items()
        for key, variable in node.get("variables", {}).items()
        if key.endswith(("_KEY", "_KEYS", "_PASS", "_PASSWORD", "_SECRET", "_TOKEN"))
    }

    assert secrets == {
        **{
            (row.name, "API_KEY"): "${{shared.API_KEY}}"
            for row in SERVICES
            if row.kind == "api" and not row.has_accounts
        },
        ("loans_service", "JWT_KEYS"): "${{shared.JWT_KEYS}}",
        ("rabbitmq", "RABBITMQ_PASSWORD"): "${{shared.RABBITMQ_PASSWORD}}",
        **{("rabbitmq", f"{name.upper()}_PASSWORD"): secret for name, secret in accounts.items()},
        **{(name, "RABBITMQ_PASSWORD"): secret for name, secret in accounts.items()},
    }


def test_puts_everything_into_one_region(project_file: ModuleType, resources: dict[str, Node]) -> None:
    volume = resources["rabbitmq-data"]
    others = [node for node in resources.values() if node["type"] != "volume"]

    assert volume["config"]["region"] == project_file.REGION
    assert [set(node["deploy"]["multiRegionConfig"]) for node in others] == [{project_file.REGION}] * len(others)


def test_opens_neither_store_nor_broker_to_the_internet(resources: dict[str, Node]) -> None:
    assert [name for name, node in resources.items() if "networking" in node] == []


def test_lets_the_broker_find_its_data_after_a_redeploy(resources: dict[str, Node]) -> None:
    broker, volume = resources["rabbitmq"], resources["rabbitmq-data"]
    attachment = broker["volumeAttachments"]["rabbitmq-data"]

    assert broker["variables"]["RABBITMQ_NODENAME"]["value"] == "rabbit@localhost"
    assert attachment["volume"] == volume["address"] == "volume.rabbitmq-data"
    assert attachment["mountPath"] == "/var/lib/rabbitmq"
    assert volume["config"]["sizeMB"] == 5000


def test_runs_one_broker_and_gives_it_time_to_stop(project_file: ModuleType, resources: dict[str, Node]) -> None:
    deploy = resources["rabbitmq"]["deploy"]

    assert deploy["multiRegionConfig"][project_file.REGION]["numReplicas"] == 1
    assert deploy["restartPolicyType"] == "ALWAYS"
    assert deploy["drainingSeconds"] == 60


def test_reaches_the_broker_over_the_private_network(resources: dict[str, Node]) -> None:
    variables = resources["rabbitmq"]["variables"]

    assert variables["RABBITMQ_URL"]["value"] == "amqp://${{RAILWAY_PRIVATE_DOMAIN}}:5672/"
    assert variables["PASSENGERS_RABBITMQ_URL"]["value"] == "amqp://${{RAILWAY_PRIVATE_DOMAIN}}:5672/passengers"


def test_gives_each_service_an_account_of_its_own_at_the_broker(resources: dict[str, Node]) -> None:
    users = {
        name: node["variables"]["RABBITMQ_USER"]["value"]
        for name, node in resources.items()
        if name.endswith("_service") and "RABBITMQ_URL" in node["variables"]
    }

    assert users == {name: name for name in ACCOUNTS}


def test_takes_another_service_by_its_row(project_file: ModuleType, resources: dict[str, Node]) -> None:
    passengers = next(row for row in SERVICES if row.name == "passengers_service")
    row = replace(passengers, name="parcels_service", port=8099, prepare=("-m", "parcels_service.init_db"), broker=None)
    servers = {"postgres": project_file.postgres("postgres")}

    described = project_file.our_service(row, servers).to_graph()

    assert described["deploy"] == resources["passengers_service"]["deploy"] | {
        "preDeployCommand": ["python -m parcels_service.init_db"]
    }
    assert described["build"]["dockerfilePath"] == "parcels_service/Dockerfile"
    assert described["variables"]["PORT"]["value"] == "8099"
    assert described["variables"]["DATABASE_NAME"]["value"] == "parcels_service"
    assert "RABBITMQ_URL" not in described["variables"]
