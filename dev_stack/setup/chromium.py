"""The browser in which tests see our pages: whichever of Chromium's family is there, else Debian's package."""

import shutil
from typing import Final

from dev_stack.errors import StackError
from dev_stack.setup.system_packages import install_packages

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_INSTEAD: Final = "put a Chromium or Google Chrome on the PATH"


class BrowserMissingError(StackError):
    """There is no browser."""


def install() -> None:
    """Debian's package, unless there is one."""
    if not _found():
        install_packages(("chromium",), needed_for="The test of the pages", otherwise=_INSTEAD)


def executable() -> str:
    """Where it is.

    Raises:
        BrowserMissingError: When it is nowhere on the PATH.
    """
    path = _found()
    if path is None:
        raise BrowserMissingError(f"There is no browser: run `python -m dev_stack install`, or {_INSTEAD}.")
    return path


def _found() -> str | None:
    return next(filter(None, map(shutil.which, _NAMES)), None)
