"""What the logs print, read line by line."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from service_kit.observability.logs import configure_logs
from service_kit.settings.process import ServiceSettings

Lines = Callable[[], list[str]]
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


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def configure(log_format: str = "console", log_level: str = "INFO") -> ServiceSettings:
    settings = ServiceSettings.model_validate({"log_format": log_format, "log_level": log_level})
    configure_logs(settings)
    return settings


def fail() -> None:
    password = "hunter2"
    raise ValueError(f"of {len(password)} letters")
