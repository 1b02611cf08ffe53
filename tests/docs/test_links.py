"""Every link from one document of ours to a file or a heading leads somewhere."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
LINK: Final = re.compile(r"\]\(([^()\s]+)\)")
CODE: Final = re.compile(r"^( *)```.*?^\1```", re.DOTALL | re.MULTILINE)
HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
ELSEWHERE: Final = ("http://", "https://", "mailto:", "../../actions/")
"""The last is a page of GitHub's, beside this repository's files."""


def documents() -> list[str]:
    tracked = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S607 - git of the PATH
    return tracked.stdout.split()


@cache
def prose(document: Path) -> str:
    return CODE.sub("", document.read_text())


@cache
def anchors(document: Path) -> set[str]:
    """As GitHub makes them."""
    headings = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in HEADING.findall(prose(document)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(document: Path) -> Iterator[str]:
    for link in LINK.findall(prose(document)):
        if link.startswith(ELSEWHERE):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("document", documents())
def test_each_link_leads_somewhere(document: str) -> None:
    assert list(broken(ROOT / document)) == []


def test_knows_a_broken_link(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A `page`: one\n[a](#a-page-one) [b](#b) [c](gone.md) [d](page.md#a-page-one)\n")

    assert list(broken(page)) == ["#b", "gone.md"]
