"""Lines that are a service's output rather than its log."""

from collections.abc import Callable
from typing import Any

import pytest
import structlog

from service_kit.observability.logs import announcer, configure_logs
from service_kit.settings.process import ServiceSettings
from tests.service_kit.observability.logs.conftest import Lines, configure

pytestmark = pytest.mark.usefixtures("clean_environment")


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
