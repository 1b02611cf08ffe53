"""Makes `.venv` with what requirements-dev.txt pins: `python3 -m dev_stack.setup.virtual_environment`.

The Makefile runs it on whatever `python3` is, before anything is installed: standard library only, and syntax that a
Python too old can still read, so that it says so in a sentence.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the sentence is for those who have an older one
    sys.exit(f"Python 3.11 or newer is needed, and this is {sys.version.split()[0]}: try `make PYTHON=python3.13 …`.")

import importlib.util
import subprocess
from pathlib import Path
from typing import Final

from dev_stack.errors import StackError
from dev_stack.setup.system_packages import install_packages

ROOT: Final = Path(__file__).resolve().parents[2]
_FOLDER: Final = ROOT / ".venv"
_PYTHON: Final = _FOLDER / "bin" / "python"


def make() -> None:
    """Make the environment if there is none that runs, and install into it what the requirements file pins.

    Raises:
        StackError: When Debian's venv package is missing and cannot be installed from here.
    """
    if not _runs():
        _need_ensurepip()
        print("Making .venv …", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(_FOLDER))
    print("Installing requirements-dev.txt into .venv, which takes about half a minute …", flush=True)
    install = ("-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes")
    _run(str(_PYTHON), *install, "--requirement", str(ROOT / "requirements-dev.txt"))


def _runs() -> bool:
    """Whether there is an environment whose interpreter has not been moved or removed since."""
    if not _PYTHON.exists():
        return False
    return not subprocess.run([_PYTHON, "-m", "pip", "--version"], check=False, capture_output=True).returncode  # noqa: S603 - ours


def _need_ensurepip() -> None:
    """Debian's python3 comes without what `venv` needs."""
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info.minor}-venv"
        install_packages((package,), needed_for="`python3 -m venv`", otherwise="name another Python by `make PYTHON=…`")


def _run(*command: str) -> None:
    """Its own words on failure are better than ours."""
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own commands
        sys.exit(f"`{' '.join(command[:4])} …` failed; see above.")


if __name__ == "__main__":
    try:
        make()
    except StackError as error:
        sys.exit(str(error))
