"""`--no-processes`: what would start one, a server or a service, is left out; or skipped, the moment it tries."""

import subprocess
from collections.abc import Generator
from typing import Any, Final

import pytest

_OPTION: Final = "--no-processes"
_SERVERS: Final = {"mongod", "mongod_replica_set", "rabbit", "postgres"}
"""The fixtures of `tests/conftest.py`: who asks for one need not be begun."""
_tried: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(_OPTION, action="store_true", help="leave out what starts a server or any other process")


class _NoProcess(subprocess.Popen[Any]):
    def __init__(self, command: object, *_: object, **__: object) -> None:
        _tried.append(str(command))
        pytest.skip("starts a process")

    def __del__(self) -> None:
        """There is nothing to wait for."""


def leave_out_processes(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that ask for no server, and let the rest start nothing, if only those are wanted."""
    if config.getoption(_OPTION):
        subprocess.Popen = _NoProcess  # type: ignore[assignment,misc]  # asyncio's processes start by it too
        left_out = [item for item in items if not _SERVERS.isdisjoint(getattr(item, "fixturenames", ()))]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Skip a test that failed in another way because it, or what it shares with others, could start no process."""
    report = yield
    if report.failed and (
        _tried or (call.excinfo and isinstance(call.excinfo.value.__context__, pytest.skip.Exception))
    ):
        report.outcome, report.longrepr = "skipped", (str(item.path), 0, "Skipped: starts a process")
    if report.when == "teardown":
        _tried.clear()
    return report
