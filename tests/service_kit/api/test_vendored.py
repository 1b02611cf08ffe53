"""What we serve of others is what they have published, and comes with its licence."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from service_kit.api.assets import VENDORED

CHECKSUMS: dict[str, dict[str, Any]] = json.loads((VENDORED / "checksums.json").read_text())


def test_every_folder_is_listed() -> None:
    assert {folder.name for folder in VENDORED.iterdir() if folder.is_dir()} == set(CHECKSUMS)


@pytest.mark.parametrize("package", CHECKSUMS)
def test_every_file_is_as_it_was_published(package: str) -> None:
    files = [file for file in (VENDORED / package).rglob("*") if file.is_file()]

    assert {_name(file, package): sha256(file.read_bytes()).hexdigest() for file in files} == CHECKSUMS[package][
        "sha256"
    ]


@pytest.mark.parametrize("package", CHECKSUMS)
def test_every_package_has_its_licence(package: str) -> None:
    assert any(name.upper().startswith("LICEN") for name in CHECKSUMS[package]["sha256"])


def _name(file: Path, package: str) -> str:
    return str(file.relative_to(VENDORED / package))
