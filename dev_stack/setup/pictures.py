"""Makes the pictures of the README from a real run: `python -m dev_stack.setup.pictures`, or `make pictures`.

It runs `make up` on a terminal of its own, places an order, and draws what both showed; then Chromium opens `/docs`.
"""

import io
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

from dev_stack.cli import ROOT
from dev_stack.errors import StackError
from dev_stack.setup import chromium

_FOLDER: Final = ROOT / "docs" / "pictures"
_SERVICES: Final = ("user_service", "orders_service", "notifications_service")
_ORDER: Final = (
    '{"items": [{"sku": "MUG-01", "name": "Coffee mug", "quantity": 3, "unit_price": "19.99"}], "currency": "EUR"}'
)
_ORDERS: Final = "http://127.0.0.1:8002"
_JSON: Final = "Content-Type: application/json"
_COLUMNS: Final = 126
_PATIENCE_SECONDS: Final = 180.0


class NothingToDrawError(StackError):
    """The run has not shown what the picture is for."""


class Terminal:
    """What a command shows on a terminal."""

    def __init__(self, command: subprocess.Popen[bytes], screen: int) -> None:
        self._command = command
        self._shown = bytearray()
        threading.Thread(target=self._read, args=(screen,), daemon=True).start()

    @property
    def text(self) -> str:
        return self._shown.decode(errors="replace").replace("\r\n", "\n")

    def wait_for(self, sentence: str) -> None:
        """Wait until it shows a sentence.

        Raises:
            NothingToDrawError: With what it has shown instead.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while sentence not in self.text:
            if self._command.poll() is not None or time.monotonic() > deadline:
                raise NothingToDrawError(f"`make up` does not say {sentence!r}:\n{self.text}")
            time.sleep(0.1)

    def _read(self, screen: int) -> None:
        try:
            while piece := os.read(screen, 65_536):
                self._shown += piece
        except OSError:  # Linux's way to say that nobody writes any more
            return


@contextmanager
def _stack() -> Iterator[Terminal]:
    screen, inside = pty.openpty()
    up = [sys.executable, "-m", "dev_stack", "up", *_SERVICES]
    command = subprocess.Popen(up, cwd=ROOT, stdin=inside, stdout=inside, stderr=inside)  # noqa: S603 - ours
    os.close(inside)
    try:
        yield Terminal(command, screen)
    finally:
        command.send_signal(signal.SIGINT)
        command.wait()


def _order() -> str:
    """Place one by curl; what it prints."""
    curl = ["curl", "-si", f"{_ORDERS}/orders", "-H", _JSON, "-d", _ORDER]
    return subprocess.run(curl, check=True, capture_output=True, text=True).stdout.replace("\r\n", "\n")  # noqa: S603 - ours


def drawn(up: str, answer: str, announced: str) -> str:
    """The picture of two terminals, as SVG without a font from elsewhere.

    Args:
        up: What `make up` showed until it was ready.
        answer: What curl showed.
        announced: What `make up` showed after it.
    """
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    order = f"$ curl -si localhost:8002/orders -H '{_JSON}' \\\n    -d '{_ORDER}'"
    make_up = f'$ make up SERVICES="{" ".join(_SERVICES)}"'
    for text in (_prompt(make_up), _colours(up), _prompt(f"\n{order}"), Text(f"{answer}\n"), _colours(announced)):
        console.print(text, highlight=False)
    svg = console.export_svg(title="make up, and an order", unique_id="terminal")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def _prompt(command: str) -> Text:
    return Text(command, style="bold")


def _colours(shown: str) -> Text:
    return Text.from_ansi(shown.strip())


def _photograph(file: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.executable(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 660})
        page.goto(f"{_ORDERS}/docs")
        page.get_by_text("Place an order").wait_for()
        page.screenshot(path=file)
        browser.close()


def main() -> None:
    """Make both."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with _stack() as terminal:
        terminal.wait_for("Everything is ready; Ctrl-C stops it.")
        up = terminal.text
        answer = _order()
        terminal.wait_for("New order received: ")
        time.sleep(0.5)  # the line is whole
        announced = terminal.text.removeprefix(up)
        _photograph(_FOLDER / "swagger.png")
    (_FOLDER / "make_up.svg").write_text(drawn(up, answer, announced))


if __name__ == "__main__":
    main()
