"""Values, and readers, that a log has to bear."""

import io
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from service_kit.observability.logs import announcer
from tests.service_kit.observability.logs.conftest import Lines, Terminal, configure

pytestmark = pytest.mark.usefixtures("clean_environment")


def test_nobody_can_forge_a_line(lines: Lines) -> None:
    configure()

    structlog.get_logger().info("greeted", name="Eve\n2026-01-01T00:00:00Z error  all_lost")

    (line,) = lines()
    assert line.endswith(r"greeted name=Eve\n2026-01-01T00:00:00Z error  all_lost")


UNPRINTABLE = [
    "\r",
    "\n",
    "\x00",
    "\x1b[2K",
    "\x7f",
    "\x85",
    "\x9b2K",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\u200b",
]
FORGED = "New order received: 666f1c2ab1e4d3a7c9f0e812"


@pytest.mark.parametrize("sign", UNPRINTABLE, ids=ascii)
@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_value_ends_its_line_or_moves_the_cursor(
    capsys: pytest.CaptureFixture[str], log_format: str, sign: str
) -> None:
    configure(log_format=log_format)

    structlog.get_logger().info(f"type {sign}{FORGED}", type=f"{sign}{FORGED}", ids=[f"{sign}{FORGED}"])
    logging.getLogger("aio_pika").warning("%s", f"{sign}{FORGED}")

    lines = capsys.readouterr().out.split("\n")
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("sign", UNPRINTABLE, ids=ascii)
def test_json_says_what_the_value_was(events: Callable[[], list[dict[str, Any]]], sign: str) -> None:
    configure(log_format="json")

    structlog.get_logger().info("seen", value=f"a{sign}b")

    (event,) = events()
    assert event["value"] == f"a{sign}b"


@pytest.mark.parametrize("sign", UNPRINTABLE, ids=ascii)
def test_an_announcement_is_one_line(capsys: pytest.CaptureFixture[str], sign: str) -> None:
    announcer(configure())(f"Order {sign} cancelled")

    (line, rest) = capsys.readouterr().out.split("\n")
    assert line.isprintable()
    assert not rest


def test_no_error_forges_a_line_in_its_trace(lines: Lines) -> None:
    configure()

    error = ValueError(f"\n{FORGED}\r\x1b[2K{FORGED}")
    structlog.get_logger().error("failed", exc_info=error)

    _, *trace = lines()
    assert all(line.startswith("  ") and line.isprintable() for line in trace)


def test_a_terminal_gets_no_escape_of_a_strangers_either(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    configure()

    structlog.get_logger().info(f"\x1b[2K\r{FORGED}", type=f"\x1b[2K\r{FORGED}")

    shown = terminal.getvalue()
    assert shown.count(FORGED) == 2
    assert "\r" not in shown
    assert "\x1b[2K" not in shown


@pytest.mark.parametrize(
    ("odd", "seen"),
    [("\ud800", "\ud800"), (2**70, 2**70), (frozenset({1}), [1]), (ValueError("x"), "x"), (b"\xff", "/w==")],
    ids=["half a character", "a huge number", "a set", "an error", "bytes"],
)
def test_json_has_room_for_any_value(events: Callable[[], list[dict[str, Any]]], odd: object, seen: object) -> None:
    configure(log_format="json")

    structlog.get_logger().info("seen", value=odd)

    (event,) = events()
    assert event["value"] == seen


def test_the_console_has_room_for_half_a_character(lines: Lines) -> None:
    configure()

    structlog.get_logger().info("seen", value="\ud800")

    (line,) = lines()
    assert line.endswith(r"seen value=\ud800")


class ClosedPipe(io.StringIO):
    attempts = 0

    def write(self, _text: str) -> int:
        self.attempts += 1
        raise BrokenPipeError


def test_a_reader_that_has_gone_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    configure()
    pipe = ClosedPipe()
    monkeypatch.setattr(sys, "stdout", pipe)

    structlog.get_logger().info("heard by nobody")

    assert pipe.attempts == 1
