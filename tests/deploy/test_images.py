"""The Dockerfiles, read."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent.name for path in ROOT.glob("*_service/Dockerfile"))


@pytest.fixture(params=SERVICES)
def name(request: pytest.FixtureRequest) -> str:
    """Each service, one after the other."""
    return str(request.param)


@pytest.fixture
def dockerfile(name: str) -> str:
    """Its Dockerfile."""
    return (ROOT / name / "Dockerfile").read_text()


def test_runs_as_production_and_as_nobody_in_particular(dockerfile: str) -> None:
    final = dockerfile.rpartition("\nFROM ")[2]

    assert "ENVIRONMENT=production" in final
    assert "USER 10001:10001" in final


def test_stands_on_a_minor_version(dockerfile: str) -> None:
    bases = set(re.findall(r"^FROM (\S+:\S+)", dockerfile, flags=re.MULTILINE))

    assert bases == {"python:3.13-slim"}


def test_says_what_the_image_is(dockerfile: str, name: str) -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', dockerfile))

    assert labels["title"] == name
    assert {"description", "licenses"} < set(labels)


@pytest.mark.parametrize("refused", ["# syntax=", "--mount=type=cache"])
def test_builds_without_what_a_builder_of_ours_refuses(dockerfile: str, refused: str) -> None:
    """A machine without the Internet cannot pull a syntax; Railway takes cache mounts of its own ids alone."""
    assert refused not in dockerfile


def test_leaves_out_of_the_image_what_only_builds_or_explains_it(dockerfile: str, name: str) -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert {"**/Dockerfile", "**/.env", "**/.env.example", "**/*.md"} <= set(ignored)
    assert f"RUN rm -f /app/{name}/requirements*.txt" in dockerfile


def test_keeps_the_packages_of_commands_out_of_the_service() -> None:
    folder = ROOT / "passengers_service"
    plain, tools = ((folder / file).read_text() for file in ("requirements.txt", "requirements-tools.txt"))

    for package in ("httpx", "polyfactory", "faker"):
        assert f"\n{package}==" not in plain
        assert f"\n{package}==" in tools
