from pathlib import Path

import pytest

from dev_stack.setup import chromium
from dev_stack.setup.chromium import BrowserMissingError


def _put_browser(folder: Path, name: str) -> str:
    (folder / name).touch(mode=0o755)
    return str(folder / name)


@pytest.mark.parametrize("name", ["chromium", "google-chrome"])
def test_takes_whichever_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    path = _put_browser(tmp_path, name)

    chromium.install()

    assert chromium.executable() == path


def test_says_what_to_do_where_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BrowserMissingError, match="run `python -m dev_stack install`, or put a Chromium"):
        chromium.executable()
