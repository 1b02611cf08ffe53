import os
from pathlib import Path

import pytest

from dev_stack.setup import python_tools
from dev_stack.setup.python_tools import PythonToolsMissingError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose requirements cannot be met."""
    (tmp_path / "requirements.txt").write_text("nothing-of-the-kind\n")
    return tmp_path


def _note_an_installation(folder: Path, *, seconds_later: int) -> None:
    noted = folder / ".venv" / "ready"
    noted.parent.mkdir()
    noted.touch()
    moment = (folder / "requirements.txt").stat().st_mtime + seconds_later
    os.utime(noted, (moment, moment))


def test_names_the_interpreter(folder: Path) -> None:
    _note_an_installation(folder, seconds_later=1)

    assert python_tools.python_of(folder) == str(folder / ".venv" / "bin" / "python")


@pytest.mark.parametrize("seconds_later", [None, -1], ids=["never", "before the last change"])
def test_says_what_to_do_when_it_was_not_installed(folder: Path, seconds_later: int | None) -> None:
    if seconds_later is not None:
        _note_an_installation(folder, seconds_later=seconds_later)

    with pytest.raises(PythonToolsMissingError, match=r"run `python -m dev_stack install`\."):
        python_tools.python_of(folder)


def test_installs_nothing_twice(folder: Path) -> None:
    _note_an_installation(folder, seconds_later=1)

    python_tools.install(folder)


def test_leaves_it_to_uv_to_say_why_it_cannot_install(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PythonToolsMissingError, match=r"`uv pip sync …` failed; see above\."):
        python_tools.install(folder)

    assert "error" in capfd.readouterr().err
    with pytest.raises(PythonToolsMissingError):
        python_tools.python_of(folder)
