"""Whatever has to know the services knows those of the table; a failure says which file lacks what.

What follows from a row alone is written by `make rows`. What is left beside the folder are three edits: the row, a
dependency group in pyproject.toml, and a block in docker-compose.yml.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev_stack.services import SERVICES, Service
from dev_stack.setup.row_lines import LINES
from dev_stack.setup.rows import RegionMissingError, repeated

ROOT = Path(__file__).resolve().parents[2]
STORES = {
    "mongodb": ("documents", {"MONGODB_URI": "mongodb://mongodb:27017"}, "MONGODB"),
    "postgres": ("tables", {"DATABASE_URL": "postgresql://postgres:5432"}, "DATABASE"),
    "rabbitmq": ("messages", {}, "RABBITMQ"),
}
"""In docker compose: the network, the address and the prefix of the account of each server."""
GROUPS = {"mongodb": "mongo", "postgres": "postgres", "rabbitmq": "rabbit"}
BLOCK = """
  {name}:
    <<: *service
    build: {{ context: ., dockerfile: {name}/Dockerfile }}{profiles}
    environment:
      <<: *environment
{environment}
    networks: [{networks}]
    depends_on:
{needs}
"""


@pytest.fixture(params=SERVICES, ids=lambda service: service.name)
def service(request: pytest.FixtureRequest) -> Service:
    """Each row."""
    found: Service = request.param
    return found


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    """The services of docker-compose.yml."""
    services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return services


def account(service: Service, prefix: str) -> dict[str, str]:
    short = service.name.removesuffix("_service")
    return {f"{prefix}_USER": service.name, f"{prefix}_PASSWORD": f"*{short}-password"}


def environment_of(service: Service) -> dict[str, str]:
    environment: dict[str, str] = {}
    for server in service.servers:
        _, address, prefix = STORES[server]
        if service.broker and server == "rabbitmq":
            address = {"RABBITMQ_URL": f"amqp://rabbitmq:5672/{service.broker.vhost.strip('/')}"}
        environment |= address | account(service, prefix)
    return environment


def needs_of(service: Service) -> dict[str, str]:
    """Whom it waits for: it starts without its broker, but a worker has nothing else to do."""
    if "mongodb" in service.servers:
        return {"mongodb_accounts": "service_completed_successfully"}
    return {service.servers[0]: "service_healthy"}


def block_of(service: Service) -> str:
    """What docker-compose.yml has to say of it at least."""
    return BLOCK.format(
        name=service.name,
        profiles=f"\n    profiles: [{service.profile}, all]" if service.profile else "",
        environment="\n".join(f"      {name}: {value}" for name, value in environment_of(service).items()),
        networks=", ".join(["front", *(STORES[server][0] for server in service.servers)]),
        needs="\n".join(f"      {name}: {{ condition: {state} }}" for name, state in needs_of(service).items()),
    )


@pytest.mark.parametrize("file", sorted(LINES))
def test_files_repeat_what_the_rows_say(file: str) -> None:
    one = next(one for one in repeated(ROOT) if one.file == file)
    assert one.text == one.right, f"Run `make rows`:\n{one.difference}"


def test_a_file_that_has_lost_its_place_for_the_rows_is_named(tmp_path: Path) -> None:
    for one in repeated(ROOT):
        (tmp_path / one.file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / one.file).write_text(one.text)
    (tmp_path / "Procfile").write_text("user_service: python\n")

    with pytest.raises(RegionMissingError, match="Procfile has no lines between `rows: processes` and `end of rows`"):
        list(repeated(tmp_path))


def test_a_row_more_is_one_difference_in_each_file() -> None:
    row = Service(name="parcels_service", command=("-m", "parcels_service.consumer"), port=8099)

    changed = [one.file for one in repeated(ROOT, [*SERVICES, row]) if "parcels_service" in one.difference.lower()]

    assert changed == [
        "Procfile",
        "docker-compose.yml",
        "deploy/gateway/haproxy.cfg",
        ".env.example",
        "README.md",
        "docs/railway.md",
    ]


def test_each_folder_with_an_image_has_a_row() -> None:
    rows = {service.name for service in SERVICES}
    without = [file.parent.name for file in ROOT.glob("*_service/Dockerfile") if file.parent.name not in rows]

    assert not without, f"dev_stack/services.py has no row in SERVICES for {', '.join(without)}."


@pytest.mark.parametrize("file", ["__init__.py", "Dockerfile", ".env.example", "README.md", "requirements.txt"])
def test_each_service_has_the_files_of_one(service: Service, file: str) -> None:
    path = ROOT / service.name / file
    hint = "run `make lock`" if file == "requirements.txt" else "see docs/adding-a-service.md"
    assert path.exists(), f"{service.name}/{file} is missing: {hint}."


def test_each_service_has_a_dependency_group(service: Service) -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    name = service.name.replace("_", "-")
    kit = ["api" if service.kind == "api" else "kit", *(GROUPS[server] for server in service.servers)]
    includes = ", ".join(f'{{ include-group = "{group}" }}' for group in kit)

    assert name in groups, f"pyproject.toml lacks, in [dependency-groups]:\n{name} = [{includes}]"


def test_docker_compose_has_a_block_for_each_service(service: Service, composed: dict[str, Any]) -> None:
    assert service.name in composed, f"docker-compose.yml lacks, in `services`:\n{block_of(service)}"


def test_the_block_connects_a_service_as_its_row_says(service: Service, composed: dict[str, Any]) -> None:
    block = composed.get(service.name, {})
    anchors = f"x: &{service.name.removesuffix('_service')}-password ${{{service.password}:-services}}\n"
    lines = "\n".join(f"  {name}: {value}" for name, value in environment_of(service).items())
    wanted: dict[str, str] = yaml.safe_load(f"{anchors}environment:\n{lines}")["environment"]
    given = {name: value for name, value in block.get("environment", {}).items() if name in wanted}

    assert given == wanted, f"docker-compose.yml, environment of {service.name}: at least\n{lines}"
    assert set(block["networks"]) == {"front", *(STORES[server][0] for server in service.servers)}
    assert block.get("profiles") == ([service.profile, "all"] if service.profile else None)
    assert block["build"]["dockerfile"] == f"{service.name}/Dockerfile"


def test_the_example_of_a_service_has_its_port(service: Service) -> None:
    text = (ROOT / service.name / ".env.example").read_text()
    assert re.search(rf"^PORT={service.port}$", text, re.MULTILINE), f"{service.name}/.env.example: PORT={service.port}"


def test_the_image_of_a_service_has_its_port_and_command(service: Service) -> None:
    text = (ROOT / service.name / "Dockerfile").read_text()
    command = ", ".join(f'"{word}"' for word in ("python", *service.command))
    for line in (f"EXPOSE {service.port}", f"CMD [{command}]"):
        assert line in text, f"{service.name}/Dockerfile lacks: {line}"


def test_no_two_services_have_one_port() -> None:
    assert len({service.port for service in SERVICES}) == len(SERVICES)
