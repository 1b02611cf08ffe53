"""Values, and readers, that a log has to bear."""

import io
import sys
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from tests.service_kit.logs.conftest import Lines, configure

pytestmark = pytest.mark.usefixtures("clean_environment")


def test_nobody_can_forge_a_line(lines: Lines) -> None:
    configure()

    structlog.get_logger().info("greeted", name="Eve\n2026-01-01T00:00:00Z error  all_lost")

    (line,) = lines()
    assert line.endswith(r"greeted name=Eve\n2026-01-01T00:00:00Z error  all_lost")


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
