import io
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from service_kit.logs import announcer, configure_logs
from service_kit.settings import ServiceSettings

Lines = Callable[[], list[str]]
pytestmark = pytest.mark.usefixtures("clean_environment")
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """What was written to standard output since the last call."""

    def read() -> list[str]:
        return capsys.readouterr().out.splitlines()

    return read


@pytest.fixture
def events(lines: Lines) -> Callable[[], list[dict[str, Any]]]:
    """The same, each line read as JSON."""
    return lambda: [json.loads(line) for line in lines()]


def configure(log_format: str = "console", log_level: str = "INFO") -> ServiceSettings:
    settings = ServiceSettings.model_validate({"log_format": log_format, "log_level": log_level})
    configure_logs(settings)
    return settings


def fail() -> None:
    password = "hunter2"
    raise ValueError(f"of {len(password)} letters")


def test_a_console_line_says_when_how_bad_and_what(lines: Lines) -> None:
    configure()

    structlog.get_logger().warning("disk_full", free_bytes=0)

    (line,) = lines()
    assert re.fullmatch(rf"{INSTANT} warning disk_full free_bytes=0", line)


def test_a_json_line_also_names_the_service(events: Callable[[], list[dict[str, Any]]]) -> None:
    configure(log_format="json")

    structlog.get_logger().warning("disk_full", free_bytes=0)

    (event,) = events()
    assert re.fullmatch(INSTANT, event.pop("timestamp"))
    assert event == {"message": "disk_full", "level": "warning", "free_bytes": 0, "service": "service"}


def test_a_foreign_console_line_looks_like_ours(lines: Lines) -> None:
    configure()

    logging.getLogger("uvicorn.error").warning("Invalid HTTP request %s.", "received")

    (line,) = lines()
    assert re.fullmatch(rf"{INSTANT} warning Invalid HTTP request received\. logger=uvicorn\.error", line)


def test_a_foreign_json_line_has_the_fields_of_ours(events: Callable[[], list[dict[str, Any]]]) -> None:
    configure(log_format="json")

    logging.getLogger("pymongo.topology").error("lost %s", "primary")

    (event,) = events()
    assert event.keys() == {"message", "level", "timestamp", "service", "logger"}
    assert (event["message"], event["level"], event["logger"]) == ("lost primary", "error", "pymongo.topology")


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_foreign_line_that_cannot_be_formatted_stops_nobody(
    capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    configure(log_format=log_format)

    logging.getLogger("aio_pika").error("one %s of %s", "only")  # noqa: PLE1206 - a driver's mistake

    assert "Logging error" in capsys.readouterr().err


@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize(("level", "kept"), [("DEBUG", "debug info error"), ("INFO", "info error"), ("ERROR", "error")])
def test_keeps_what_is_as_bad_as_the_level_says(lines: Lines, log_format: str, level: str, kept: str) -> None:
    configure(log_format=log_format, log_level=level)

    for log in (structlog.get_logger(), logging.getLogger("anybody")):
        log.debug("a debug line")
        log.info("an info line")
        log.error("an error line")

    assert re.findall(r"an? (\w+) line", "\n".join(lines())) == kept.split() * 2


def test_a_chatty_library_is_heard_from_warnings_on(lines: Lines) -> None:
    configure(log_level="DEBUG")

    logging.getLogger("pymongo.topology").info("frame")
    logging.getLogger("pymongo.topology").warning("closed")

    assert [line.split()[2] for line in lines()] == ["closed"]


def test_even_a_chatty_library_obeys_a_higher_level(lines: Lines) -> None:
    configure(log_level="ERROR")

    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")

    assert lines() == []


@pytest.mark.parametrize("log", [structlog.get_logger(), logging.getLogger("anybody")], ids=["ours", "foreign"])
def test_the_console_shows_the_trace_below_the_line_but_no_variables(lines: Lines, log: logging.Logger) -> None:
    configure()

    try:
        fail()
    except ValueError:
        log.exception("failed")

    first, *trace = lines()
    assert first.split()[1:3] == ["error", "failed"]
    assert trace[0] == "Traceback (most recent call last):"
    assert trace[-1] == "ValueError: of 7 letters"
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


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


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


def test_an_announcement_is_the_whole_console_line(lines: Lines) -> None:
    announce = announcer(configure())

    announce("New order received: 7")

    assert lines() == ["New order received: 7"]


@pytest.mark.parametrize("level", ["DEBUG", "ERROR"])
def test_an_announcement_is_the_event_of_a_json_line_whatever_the_level(
    events: Callable[[], list[dict[str, Any]]], level: str
) -> None:
    announce = announcer(configure(log_format="json", log_level=level))

    announce("New order received: 7")

    (event,) = events()
    assert (event["message"], event["level"]) == ("New order received: 7", "info")


def test_an_announcer_may_be_made_before_the_logs_are_configured(
    events: Callable[[], list[dict[str, Any]]],
) -> None:
    settings = ServiceSettings(log_format="json")
    structlog.reset_defaults()
    announce = announcer(settings)
    configure_logs(settings)

    announce("New order received: 7")

    (event,) = events()
    assert event["message"] == "New order received: 7"
