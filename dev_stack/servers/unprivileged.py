"""For servers that refuse root: another user to run them, and a folder that this user may enter."""

import os
import pwd
import shutil
import tempfile
from pathlib import Path
from typing import Final, TypedDict

_USER: Final = "nobody"
_POINTER: Final = "elsewhere"
_PREFIX: Final = "delivered-"


class Identity(TypedDict, total=False):
    """Arguments of `subprocess.Popen`; nothing of root's groups stays."""

    user: int
    group: int
    extra_groups: list[int]


def identity() -> Identity:
    """Who runs the server: ourselves, and `nobody` when we are root."""
    if os.geteuid():
        return {}
    user = pwd.getpwnam(_USER)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def home(folder: Path, *, parent: Path) -> Path:
    """Where that user keeps its files: `folder` itself, unless we are root.

    Another user could enter it only if every folder above were opened to all, root's own home among them. So its files
    lie under `parent`, and `folder / "elsewhere"` names the place, for the next time too.
    """
    if os.geteuid():
        return folder
    pointer = folder / _POINTER
    if not pointer.exists() or not Path(pointer.read_text()).is_dir():
        place = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{folder.name}-", dir=parent))  # mode 700
        shutil.chown(place, _USER, pwd.getpwnam(_USER).pw_gid)
        pointer.write_text(str(place))
    return Path(pointer.read_text())


def remove_home(folder: Path) -> None:
    """Remove what `home` has made elsewhere; the folder itself is its owner's to remove."""
    pointer = folder / _POINTER
    if pointer.exists():
        shutil.rmtree(pointer.read_text(), ignore_errors=True)
        pointer.unlink()
