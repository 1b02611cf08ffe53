"""Whether the code uses a name that docs/glossary.md avoids: `python -m dev_stack vocabulary`."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dev_stack.errors import StackError

_AVOIDED: Final = re.compile(r"_Avoid_: (.*)")
_NAME: Final = re.compile(r"`(\w+)`")


class AvoidedNameError(StackError):
    """A name that the glossary replaces by another one."""


def check(root: Path) -> None:
    """Look at every Python file that git tracks.

    Raises:
        AvoidedNameError: Each place, with the name.
    """
    avoided = re.compile(rf"\b({'|'.join(avoided_names(root / 'docs' / 'glossary.md'))})\b")
    if places := list(_places(root, avoided)):
        raise AvoidedNameError("\n".join([*places, "docs/glossary.md has the name to use instead."]))


def avoided_names(glossary: Path) -> list[str]:
    """The names in `code` behind each _Avoid_."""
    return [name for line in _AVOIDED.findall(glossary.read_text()) for name in _NAME.findall(line)]


def _places(root: Path, avoided: re.Pattern[str]) -> Iterator[str]:
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=root, check=True, capture_output=True, text=True)  # noqa: S607 - git of the PATH
    for name in tracked.stdout.split():
        for number, line in enumerate((root / name).read_text().splitlines(), start=1):
            if found := avoided.search(line):
                yield f"{name}:{number}: {found[0]}"
