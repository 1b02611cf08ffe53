"""Errors in the logs: their trace, and nobody's secrets."""

import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from tests.service_kit.observability.logs.conftest import Lines, Terminal, configure, fail

pytestmark = pytest.mark.usefixtures("clean_environment")


@pytest.mark.parametrize("log", [structlog.get_logger(), logging.getLogger("anybody")], ids=["ours", "foreign"])
def test_the_console_shows_the_trace_below_the_line_but_no_variables(lines: Lines, log: logging.Logger) -> None:
    configure()

    try:
        fail()
    except ValueError:
        log.exception("failed")

    first, *trace = lines()
    assert first.split()[1:3] == ["error", "failed"]
    assert trace[0] == "  Traceback (most recent call last):"
    assert trace[-1] == "  ValueError: of 7 letters"
    assert "hunter2" not in "\n".join(trace)


@pytest.mark.parametrize("log", [structlog.get_logger(), logging.getLogger("anybody")], ids=["ours", "foreign"])
def test_json_holds_the_trace_in_one_field(events: Callable[[], list[dict[str, Any]]], log: logging.Logger) -> None:
    configure(log_format="json")

    try:
        fail()
    except ValueError:
        log.exception("failed")

    (event,) = events()
    assert event["exception"].startswith("Traceback (most recent call last):\n")
    assert event["exception"].endswith("\nValueError: of 7 letters")


def test_a_terminal_gets_colours_but_no_variables_either(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    configure()

    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("failed")

    shown = terminal.getvalue()
    assert "\x1b[" in shown
    assert "ValueError: of 7 letters" in shown
    assert "hunter2" not in shown
