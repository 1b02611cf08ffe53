"""`railway.toml`: the same as the project file, and true of every service."""

from typing import Any

from starlette.applications import Starlette

from service_kit.observability.health import health_routes
from service_kit.runtime.serve import server_config

Node = dict[str, Any]

# What Railway reads in the two tables; it passes over a misspelt key in silence.
BUILD_KEYS = {"builder", "buildCommand", "dockerfilePath", "watchPatterns"}
DEPLOY_KEYS = {
    *("startCommand", "preDeployCommand", "healthcheckPath", "healthcheckTimeout", "restartPolicyType"),
    *("restartPolicyMaxRetries", "overlapSeconds", "drainingSeconds", "multiRegionConfig", "cronSchedule"),
}
DIFFERING_KEYS = {"dockerfilePath", "watchPatterns", "startCommand", "preDeployCommand", "multiRegionConfig"}


def test_says_what_the_project_file_says(node: Node, by_hand: Node) -> None:
    deploy = {key: value for key, value in node["deploy"].items() if key not in DIFFERING_KEYS}

    assert by_hand["deploy"] == deploy
    assert by_hand["build"]["builder"] == node["build"]["builder"] == "DOCKERFILE"


def test_holds_only_what_is_true_of_every_service(by_hand: Node) -> None:
    assert set(by_hand) == {"build", "deploy"}
    assert DIFFERING_KEYS.isdisjoint(by_hand["build"] | by_hand["deploy"])


def test_uses_only_keys_that_railway_reads_as_the_project_file_does(resources: dict[str, Node], by_hand: Node) -> None:
    tables = [by_hand, *(node for node in resources.values() if node["type"] == "service")]

    assert {key for table in tables for key in table.get("build", {})} <= BUILD_KEYS
    assert {key for table in tables for key in table["deploy"]} <= DEPLOY_KEYS


def test_asks_for_readiness_where_every_service_answers(by_hand: Node) -> None:
    assert by_hand["deploy"]["healthcheckPath"] == "/health/ready"
    assert by_hand["deploy"]["healthcheckPath"] in {route.path for route in health_routes([])}


def test_kills_no_service_that_is_still_finishing(by_hand: Node) -> None:
    finish_seconds = server_config(Starlette()).timeout_graceful_shutdown

    assert finish_seconds is not None
    assert by_hand["deploy"]["drainingSeconds"] >= finish_seconds + 5
