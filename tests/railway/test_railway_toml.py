"""`railway.toml`: the same as the project file, and true of every service. When it goes, this module alone goes too."""

import tomllib
from typing import Any

import pytest

from tests.railway.conftest import ROOT

Node = dict[str, Any]

DIFFERING_KEYS = {"dockerfilePath", "watchPatterns", "startCommand", "preDeployCommand", "multiRegionConfig"}


@pytest.fixture(scope="module")
def by_hand() -> Node:
    """The file."""
    return tomllib.loads((ROOT / "railway.toml").read_text())


def test_says_what_the_project_file_says(node: Node, by_hand: Node) -> None:
    deploy = {key: value for key, value in node["deploy"].items() if key not in DIFFERING_KEYS}

    assert by_hand["deploy"] == deploy
    assert by_hand["build"]["builder"] == node["build"]["builder"] == "DOCKERFILE"


def test_holds_only_what_is_true_of_every_service(by_hand: Node) -> None:
    assert set(by_hand) == {"build", "deploy"}
    assert DIFFERING_KEYS.isdisjoint(by_hand["build"] | by_hand["deploy"])


def test_the_guide_says_where_each_key_goes_by_hand(by_hand: Node) -> None:
    guide = (ROOT / "docs" / "railway.md").read_text()

    assert [key for key in by_hand["build"] | by_hand["deploy"] if f"`{key}`" not in guide] == []
