import subprocess
from pathlib import Path

import pytest

from dev_stack.setup import vocabulary
from dev_stack.setup.vocabulary import AvoidedNameError

# In two halves, because this file is looked at too.
AVOIDED = "Seen" + "Events"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a glossary."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "glossary.md").write_text(f"**Window**: what is known. _Avoid_: `{AVOIDED}`, `pay`.\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)  # noqa: S607 - git of the PATH
    return tmp_path


def _track(repository: Path, code: str) -> None:
    (repository / "module.py").write_text(code)
    subprocess.run(["git", "add", "."], cwd=repository, check=True)  # noqa: S607 - git of the PATH


def test_names_each_place_of_an_avoided_name(repository: Path) -> None:
    _track(repository, f"window = 1\nknown = {AVOIDED}()\n")

    with pytest.raises(AvoidedNameError, match=rf"^module\.py:2: {AVOIDED}\ndocs/glossary\.md"):
        vocabulary.check(repository)


def test_knows_a_name_from_a_part_of_one(repository: Path) -> None:
    _track(repository, f"payment = My{AVOIDED}\n")

    vocabulary.check(repository)
