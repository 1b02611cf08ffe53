"""Which lines there are, and what stands in each."""

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from tests.service_kit.observability.logs.conftest import INSTANT, Lines, configure

pytestmark = pytest.mark.usefixtures("clean_environment")


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
