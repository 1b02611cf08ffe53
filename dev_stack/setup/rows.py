"""Writes into other files what follows from the table of services: `python -m dev_stack rows`, or `make rows`.

Such lines stand between a line with `rows: KEY` and one with `end of rows`, in whatever comments the file has.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from functools import partial
from pathlib import Path
from typing import Final

from dev_stack.errors import StackError
from dev_stack.services import SERVICES, Service
from dev_stack.setup.row_lines import LINES

_REGION: Final = re.compile(
    r"^(?P<begin>[^\n]*\brows: (?P<key>[\w-]+)[^\n]*\n).*?(?P<end>^[^\n]*\bend of rows\b)", re.MULTILINE | re.DOTALL
)


class RowsStaleError(StackError):
    """A file does not say what the table of services says."""


class RegionMissingError(StackError):
    """A file has lost the two lines between which the rows stand."""


@dataclass(frozen=True)
class Repeated:
    """A file that repeats something of the rows.

    Attributes:
        file: Relative to the repository.
        text: What it says now.
        right: What it has to say.
    """

    file: str
    text: str
    right: str

    @property
    def difference(self) -> str:
        """The lines to add and to take away, with their places."""
        lines = unified_diff(self.text.splitlines(), self.right.splitlines(), self.file, self.file, lineterm="", n=1)
        return "\n".join(lines)


def repeated(root: Path, services: Sequence[Service] = SERVICES) -> Iterator[Repeated]:
    """Every file that repeats something of the rows.

    Raises:
        RegionMissingError: It does not say where.
    """
    for file, regions in LINES.items():
        text = (root / file).read_text()
        if missing := regions.keys() - {found["key"] for found in _REGION.finditer(text)}:
            raise RegionMissingError(f"{file} has no lines between `rows: {min(missing)}` and `end of rows`.")
        lines = {key: "".join(f"{line}\n" for line in lines(services, text)) for key, lines in regions.items()}
        yield Repeated(file, text, _REGION.sub(partial(_filled, lines=lines), text))


def _filled(found: re.Match[str], lines: Mapping[str, str]) -> str:
    return f"{found['begin']}{lines[found['key']]}{found['end']}"


def check(root: Path) -> None:
    """Look for differences.

    Raises:
        RowsStaleError: With the lines that are missing or too many, in each file.
    """
    if stale := [one.difference for one in repeated(root) if one.text != one.right]:
        raise RowsStaleError("\n".join([*stale, "dev_stack/services.py says otherwise: run `make rows`."]))


def write(root: Path) -> None:
    """Write what differs, and say where."""
    for one in repeated(root):
        if one.text != one.right:
            (root / one.file).write_text(one.right)
            print(f"{one.file}: written")
