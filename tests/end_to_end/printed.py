"""What the documents print for a reader to paste: blocks of `sh`, and commands in running text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.support.system import ROOT

DOCUMENTS: Final = sorted(
    file.relative_to(ROOT)
    for pattern in ("*.md", "docs/*.md", "docs/[!d]*/*.md", "*_service/README.md")  # decisions are of their day
    for file in ROOT.glob(pattern)
    if file.name not in {"CHANGELOG.md", "adding-a-service.md"}  # a test of its own makes that service
)
ELSEWHERE: Final = ("docker", "railway", "make", "npm", "pip", "export")
"""Beginnings of commands that a running stack cannot run; those of ours are checked for their form."""

_BLOCK: Final = re.compile(r"^ *```(?:sh|bash)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_INLINE: Final = re.compile(
    r"`((?:\S+=\S+ )?(?:\.venv/bin/)?python -m [^`…]+|docker compose [^`…]+|railway [^`…]+|make [^`…]+)`"
)


@dataclass(frozen=True)
class Printed:
    """Something to paste.

    Attributes:
        place: Document and line.
        text: Of a whole block, or of one command.
    """

    place: str
    text: str

    @property
    def commands(self) -> list[str]:
        """Its lines, without comments, those that are continued in one."""
        joined = self.text.replace("\\\n", " ")
        lines = (re.sub(r"(^|\s)#\s.*", "", line).strip() for line in joined.splitlines())
        return [line for line in lines if line]

    @property
    def is_for_elsewhere(self) -> bool:
        return any(command.startswith(ELSEWHERE) for command in self.commands)


def blocks() -> Iterator[Printed]:
    """Every block of `sh`."""
    yield from _found(_BLOCK)


def inline() -> Iterator[Printed]:
    """Every command in running text."""
    yield from _found(_INLINE)


def _found(pattern: re.Pattern[str]) -> Iterator[Printed]:
    for document in DOCUMENTS:
        text = (ROOT / document).read_text()
        for found in pattern.finditer(text):
            yield Printed(f"{document}:{text.count(chr(10), 0, found.start()) + 1}", found[1])
