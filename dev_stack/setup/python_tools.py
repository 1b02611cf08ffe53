"""What the tests take from PyPI and cannot share our environment: the generator of clients in `tests/python_tools`.

It wants an older typer than our own commands. So it has an environment beside its requirements file, and the clients
that it makes run there too, as they would at somebody else's.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from uv import find_uv_bin

from dev_stack.errors import StackError

FOLDER: Final = Path(__file__).resolve().parents[2] / "tests" / "python_tools"


class PythonToolsMissingError(StackError):
    """The environment is not installed, or cannot be."""


def install(folder: Path = FOLDER) -> None:
    """Make the environment with what the folder's requirements.txt pins, unless it is there already.

    Raises:
        PythonToolsMissingError: When uv fails; its own words are better than ours.
    """
    if _is_installed(folder):
        return
    environment, requirements = folder / ".venv", folder / "requirements.txt"
    _run("venv", "--clear", "--python", sys.executable, str(environment))
    _run("pip", "sync", "--require-hashes", "--python", str(environment), str(requirements))
    _note(folder).touch()


def python_of(folder: Path = FOLDER) -> str:
    """The environment's interpreter.

    Raises:
        PythonToolsMissingError: When it is not there, or older than requirements.txt.
    """
    if not _is_installed(folder):
        raise PythonToolsMissingError("The generator of clients is missing: run `python -m dev_stack install`.")
    return str(folder / ".venv" / "bin" / "python")


def _run(*arguments: str) -> None:
    command = [find_uv_bin(), *arguments, "--quiet"]
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own
        raise PythonToolsMissingError(f"`uv {' '.join(arguments[:2])} …` failed; see above.")


def _note(folder: Path) -> Path:
    """Touched when all of it is there."""
    return folder / ".venv" / "ready"


def _is_installed(folder: Path) -> bool:
    noted = _note(folder)
    return noted.exists() and noted.stat().st_mtime >= (folder / "requirements.txt").stat().st_mtime
