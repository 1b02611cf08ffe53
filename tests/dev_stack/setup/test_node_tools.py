import json
import os
import subprocess
from pathlib import Path

import pytest

from dev_stack.setup import node_tools
from dev_stack.setup.node_tools import NodeToolsMissingError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of npm packages that asks for none."""
    package = {"name": "nothing", "version": "1.0.0"}
    (tmp_path / "package.json").write_text(json.dumps(package))
    (tmp_path / "package-lock.json").write_text(
        json.dumps({**package, "lockfileVersion": 3, "packages": {"": package}})
    )
    (tmp_path / "node_modules").mkdir()
    return tmp_path


def _note_an_installation(folder: Path, *, seconds_later: int) -> None:
    noted = folder / "node_modules" / ".package-lock.json"
    noted.touch()
    moment = (folder / "package-lock.json").stat().st_mtime + seconds_later
    os.utime(noted, (moment, moment))


def test_runs_a_script(folder: Path) -> None:
    _note_an_installation(folder, seconds_later=1)
    (folder / "say.js").write_text("console.log(process.argv[2])")

    command = node_tools.node_command("say.js", "hello", folder=folder)

    said = subprocess.check_output(command, text=True)  # noqa: S603 - our own command

    assert said == "hello\n"


@pytest.mark.parametrize("seconds_later", [None, -1], ids=["never", "before the last change"])
def test_says_what_to_do_when_it_was_not_installed(folder: Path, seconds_later: int | None) -> None:
    if seconds_later is not None:
        _note_an_installation(folder, seconds_later=seconds_later)

    with pytest.raises(NodeToolsMissingError, match=r"run `python -m dev_stack install`\."):
        node_tools.node_command("say.js", folder=folder)


def test_installs_nothing_twice(folder: Path) -> None:
    _note_an_installation(folder, seconds_later=1)
    (folder / "package-lock.json").write_text("npm would stumble here")
    _note_an_installation(folder, seconds_later=1)

    node_tools.install(folder)


def test_leaves_it_to_npm_to_say_why_it_cannot_install(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "package-lock.json").write_text("{")

    with pytest.raises(NodeToolsMissingError, match=r"`npm ci` failed in .*; see above\."):
        node_tools.install(folder)

    assert "npm error" in capfd.readouterr().err
