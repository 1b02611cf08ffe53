"""Whether pyproject.toml declares what the code imports, and nothing else: `python -m dev_stack declared`.

deptry compares one list of dependencies with one tree of code. Ours has a list a service, which has to name what the
service imports itself and through the kit's modules that it uses, but not what other modules of the kit need. So deptry
runs once a list, and sees only the modules that belong to it.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grimp
from grimp import ImportGraph

from dev_stack.errors import StackError
from dev_stack.setup.imports import service_packages

_KIT: Final = "service_kit"
_ALSO_RUN: Final[Mapping[str, str]] = {
    "service_kit.api.app": "service_kit.runtime.serve",
    "service_kit.mongo.client": "service_kit.commands.mongo_accounts",
    "service_kit.rabbit.topology": "service_kit.commands.dead_letters",
    "service_kit.postgres.migrations": "service_kit.postgres.alembic.env",
}
"""What nobody imports, but an image runs, by the module that brings it along."""
_TOOLS: Final[Mapping[str, Sequence[str]]] = {
    "passengers_service": ("passengers_service.factory", "passengers_service.load"),
}
"""The commands of a service's group `…-tools`, which its image cannot run."""
_FOR_DEVELOPMENT: Final = ("dev_stack", "benchmarks", "faults", "tests", ".railway")


class UndeclaredImportError(StackError):
    """A group and the code that it is for do not agree."""


@dataclass(frozen=True)
class Comparison:
    """One run of deptry.

    Attributes:
        group: The dependencies, with the groups that it includes.
        folders: The code.
        unseen: Modules in these folders that are none of the group's business.
    """

    group: str
    folders: Sequence[str]
    unseen: Sequence[str] = ()


def check_all(root: Path) -> None:
    """Compare each service, and what is for development.

    Raises:
        UndeclaredImportError: With deptry's own words.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    packages = service_packages(root)
    ours = [*project["tool"]["deptry"]["known_first_party"], *packages]
    with ThreadPoolExecutor() as pool:
        comparisons = _comparisons(groups, packages)
        told = list(pool.map(lambda comparison: _complaint(root, groups, ours, comparison), comparisons))
    if complaints := [complaint for complaint in told if complaint]:
        raise UndeclaredImportError("\n".join(complaints))


def _comparisons(groups: Mapping[str, Any], packages: Sequence[str]) -> Iterator[Comparison]:
    services = [group.replace("-", "_") for group in groups if group.endswith("-service")]
    graph = grimp.build_graph(_KIT, *services, cache_dir=None)
    for service in services:
        seen = _kit_modules_of(service, graph)
        unseen = [module for module in graph.modules if module.startswith(f"{_KIT}.") and module not in seen]
        group, tools = service.replace("_", "-"), _TOOLS.get(service, ())
        yield Comparison(group, (service, _KIT), [*unseen, *tools])
        if tools:
            yield Comparison(f"{group}-tools", (service, _KIT), unseen)
    yield Comparison("dev", (_KIT, *packages, *_FOR_DEVELOPMENT))


def _kit_modules_of(service: str, graph: ImportGraph) -> set[str]:
    seen = graph.find_upstream_modules(service, as_package=True)
    for module, runs in _ALSO_RUN.items():
        if module in seen:
            seen |= {runs, *graph.find_upstream_modules(runs)}
    return seen


def _complaint(root: Path, groups: Mapping[str, Any], ours: Sequence[str], comparison: Comparison) -> str | None:
    hidden = [rf"{re.escape(module.replace('.', '/'))}\.py$" for module in comparison.unseen]
    command = [
        *(sys.executable, "-m", "deptry", "--no-ansi"),
        *(folder for folder in comparison.folders if (root / folder).is_dir()),
        *("--non-dev-dependency-groups", ",".join(_with_included(comparison.group, groups))),
        *(word for name in ours for word in ("--known-first-party", name)),
        *("--exclude", "|".join([*hidden, r".*/node_modules/", r".*/\.venv/"])),
    ]
    done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)  # noqa: S603 - ours
    return f"{comparison.group}:\n{done.stderr}{done.stdout}" if done.returncode else None


def _with_included(group: str, groups: Mapping[str, Any]) -> list[str]:
    included = [entry["include-group"] for entry in groups[group] if isinstance(entry, dict)]
    return [group, *(name for other in included for name in _with_included(other, groups))]
