"""`docker-compose.yml`, read: who is contained how, who reaches what, and that nothing is configured in secret."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
GATEWAY = (ROOT / "deploy" / "gateway" / "haproxy.cfg").read_text()

OURS = [name for name in SERVICES if name.endswith("_service")]
STORES = ["mongodb", "postgres", "rabbitmq"]
NETWORKS = {"documents": "mongodb", "tables": "postgres", "messages": "rabbitmq"}
ADDRESSES = {"MONGODB_URI": "documents", "DATABASE_URL": "tables", "RABBITMQ_URL": "messages"}


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in STORES])
def test_contains_what_is_no_store(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "pids_limit", "cpus"} <= set(service)


@pytest.mark.parametrize("name", OURS)
def test_puts_a_service_on_the_networks_of_its_stores_alone(name: str) -> None:
    own = {network for variable, network in ADDRESSES.items() if variable in SERVICES[name]["environment"]}

    assert set(SERVICES[name]["networks"]) == {"front", *own}


def test_keeps_each_store_on_a_network_of_its_own() -> None:
    assert {name: SERVICES[name]["networks"] for name in STORES} == {
        store: [network] for network, store in NETWORKS.items()
    }


@pytest.mark.parametrize("name", STORES)
def test_gives_a_store_a_minute_to_write_down_what_it_has(name: str) -> None:
    assert SERVICES[name]["stop_grace_period"] == "60s"


@pytest.mark.parametrize("name", OURS)
def test_gives_each_service_an_account_of_its_own(name: str) -> None:
    environment = SERVICES[name]["environment"]
    users = {value for variable, value in environment.items() if variable.endswith("_USER")}
    passwords = {
        environment[f"{variable.removesuffix('_USER')}_PASSWORD"]
        for variable in environment
        if variable.endswith("_USER")
    }

    assert users == {name}
    assert passwords == {f"${{{name.upper()}_PASSWORD:-services}}"}


def test_writes_no_password_into_an_address() -> None:
    """Compose cannot percent-encode it."""
    assert re.findall(r"://[^\s/]*\$", TEXT) == []


def test_waits_for_no_container_that_migrates() -> None:
    assert [name for name, service in SERVICES.items() if "init_db" in str(service.get("command"))] == []


@pytest.mark.parametrize("name", ["mongodb_accounts", "tools"])
def test_starts_no_command_again_that_has_failed(name: str) -> None:
    assert SERVICES[name]["restart"] == "no"


def test_listens_on_this_machine_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]

    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_explains_every_variable_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    named = dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", example, flags=re.MULTILINE))

    # A name without the service's in front, which counts too, stands inside of the one that has it.
    text = re.sub(r"\$\{([A-Z_]+):-\$\{[A-Z_]+:-([^}]*)\}\}", r"${\1:-\2}", TEXT)
    defaults = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", text))

    assert {name: named.get(name) for name in defaults} == defaults


def test_tells_services_of_the_gateway_in_front_of_them() -> None:
    assert {SERVICES[name]["environment"]["TRUSTED_PROXIES"] for name in OURS} == {1}
    assert "option forwardfor" in GATEWAY


def test_leads_to_each_service_at_its_port() -> None:
    published = {port.rpartition(":")[2] for port in SERVICES["gateway"]["ports"]}
    listens = dict(re.findall(r"^listen (\w+_service)\n    bind :(\d+)\n", GATEWAY, flags=re.MULTILINE))
    leads = re.findall(r"^    server-template replica 30 (\w+):(\d+)$", GATEWAY, flags=re.MULTILINE)

    assert dict(leads) == listens
    assert set(listens) == set(OURS)
    assert set(listens.values()) == published


def test_answers_in_the_form_of_our_problems_when_no_replica_can() -> None:
    answers = re.findall(r"http-error status (\d+) content-type application/problem\+json string '(.*?)'", GATEWAY)

    problems = {int(status): json.loads(text) for status, text in answers}

    assert {502, 503, 504} <= set(problems)
    for status, problem in problems.items():
        assert set(problem) == {"type", "title", "status", "detail"}
        assert problem["status"] == status
        assert problem["type"].startswith("urn:problem-type:")


def test_lets_the_bodies_of_loads_wait_on_disk() -> None:
    """`/tmp` is memory, and counts against the limit of the container."""
    passengers = SERVICES["passengers_service"]

    assert f"spool:{passengers['environment']['TMPDIR']}" in passengers["volumes"]
