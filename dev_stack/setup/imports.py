"""import-linter, with `*_service` in pyproject.toml for each service: `python -m dev_stack imports`.

import-linter itself has wildcards for whole names of modules alone, and none for the packages that it looks into. A
module that a service does not have is left out.
"""

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from configparser import ConfigParser
from pathlib import Path
from typing import Any, Final

from dev_stack.errors import StackError

_ANY_SERVICE: Final = "*_service"


class ImportsBrokenError(StackError):
    """An import that a contract of pyproject.toml forbids."""


def check(root: Path) -> None:
    """Hold every contract.

    Raises:
        ImportsBrokenError: With import-linter's own words.
    """
    options: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]
    services = service_packages(root)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "contracts.ini")
        with config.open("w") as file:
            _as_ini(options, root, services).write(file)
        command = [str(Path(sys.executable).with_name("lint-imports")), "--config", str(config)]
        done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)  # noqa: S603 - ours
    if done.returncode:
        raise ImportsBrokenError(done.stdout + done.stderr)
    print(done.stdout.strip().splitlines()[-1])


def service_packages(root: Path) -> list[str]:
    """The packages of all services, whether they have a row or not."""
    return sorted(file.parent.name for file in root.glob(f"{_ANY_SERVICE}/__init__.py"))


def _as_ini(options: dict[str, Any], root: Path, services: Sequence[str]) -> ConfigParser:
    """The form of import-linter's that the standard library can write."""
    config = ConfigParser(interpolation=None)
    contracts = options.pop("contracts")
    config["importlinter"] = _section(options, root, services)
    for number, contract in enumerate(contracts):
        config[f"importlinter:contract:{number}"] = _section(contract, root, services)
    return config


def _section(options: dict[str, Any], root: Path, services: Sequence[str]) -> dict[str, str]:
    return {
        name: "\n".join(["", *_expanded(value, root, services)]) if isinstance(value, list) else str(value)
        for name, value in options.items()
    }


def _expanded(names: Sequence[str], root: Path, services: Sequence[str]) -> Iterator[str]:
    for name in names:
        if _ANY_SERVICE not in name:
            yield name
            continue
        for service in services:
            module = name.replace(_ANY_SERVICE, service)
            path = root / module.replace(".", "/")
            if path.is_dir() or path.with_suffix(".py").exists():
                yield module
