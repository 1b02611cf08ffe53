"""The requirements files, to which pyproject.toml's dependency groups are compiled: `make lock`.

`--check` compiles into a copy that is seeded with the file itself. The versions and hashes in a file are kept as long
as they satisfy the group, so a release on the index changes nothing; only pyproject.toml or a hand in the file does.
"""

import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from uv import find_uv_bin

from dev_stack.errors import StackError

_FILES: Final = {
    "dev": Path("requirements-dev.txt"),
    "python-tools": Path("tests", "python_tools", "requirements.txt"),
    "passengers-service-tools": Path("passengers_service", "requirements-tools.txt"),
}
_UNREACHABLE: Final = 2
"""uv's exit status when it cannot work, as without a network; 1 says that the group has no solution."""


class RequirementsStaleError(StackError):
    """A requirements file does not say what pyproject.toml asks for."""


class GroupUnsolvableError(StackError):
    """A group cannot be compiled."""


@dataclass(frozen=True)
class Requirements:
    """A dependency group and the file that it is compiled to, relative to the repository."""

    group: str
    file: Path


def all_requirements(root: Path) -> Iterator[Requirements]:
    """Of development, of tools, and of each service folder that has a group of its name."""
    for group in tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"]:
        folder = Path(group.replace("-", "_"))
        if group in _FILES:
            yield Requirements(group, _FILES[group])
        elif group.endswith("-service") and (root / folder).is_dir():
            yield Requirements(group, folder / "requirements.txt")


def compile_requirements(root: Path, group: str, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run uv; versions that stand in the output already are preferred."""
    command = [
        *(find_uv_bin(), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"),
        *("--no-emit-index-url", "--custom-compile-command", "make lock"),
        "--no-python-downloads",  # where there is no 3.11, a newer Python resolves for it just as well
        *("--group", f"pyproject.toml:{group}", "--output-file", str(output), *options),
    ]
    return subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)  # noqa: S603 - ours


def write(root: Path, requirements: Requirements, *options: str) -> None:
    """Compile a group to its file, with further options of uv.

    Raises:
        GroupUnsolvableError: With uv's own words.
    """
    result = compile_requirements(root, requirements.group, root / requirements.file, *options)
    if result.returncode:
        raise GroupUnsolvableError(f"The group {requirements.group} cannot be compiled:\n{result.stderr}")


def check(root: Path, requirements: Requirements) -> str | None:
    """Hold a file against its group.

    Returns:
        A sentence when it could not be checked because the package index is out of reach.

    Raises:
        RequirementsStaleError: When `make lock` would change the file.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "requirements.txt")
        if (root / requirements.file).exists():
            shutil.copy(root / requirements.file, copy)
        result = compile_requirements(root, requirements.group, copy)
        if result.returncode == _UNREACHABLE:
            result = compile_requirements(root, requirements.group, copy, "--offline")
            if result.returncode:
                return f"{requirements.file} was not checked: the package index cannot be reached."
        if result.returncode or not _same(copy, root / requirements.file):
            raise RequirementsStaleError(f"{requirements.file} is stale: run `make lock`.\n{result.stderr}".rstrip())
    return None


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.read_text() == other.read_text()


def write_all(root: Path, *options: str) -> None:
    """Compile every requirements file."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda requirements: write(root, requirements, *options), all_requirements(root)))


def check_all(root: Path) -> list[str]:
    """Check every requirements file; answer what could not be checked."""
    with ThreadPoolExecutor() as pool:
        sentences = pool.map(lambda requirements: check(root, requirements), all_requirements(root))
        return [sentence for sentence in sentences if sentence]
