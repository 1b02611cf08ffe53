"""How a whole run is shared by several workers, each of which starts the servers that its tests ask for.

A file's tests stay together, because they share what is made once a module. Those that wait more than they compute are
begun first, and each goes to whichever worker is free.
"""

import os
from typing import Final

import pytest
from xdist.scheduler import LoadFileScheduling

_LONG: Final = ("tests/faults/", "tests/every_api/test_openapi_fuzz.py", "tests/loans_service/test_openapi_fuzz.py")
_ONE: Final = "tests/every_api/"
"""All its tests call the same processes, which are started once a worker."""
_MOST_WORKERS: Final = 6
"""Each has a MongoDB, a RabbitMQ and a PostgreSQL, together about 700 MB."""


class _ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return nodeid if _is_long(nodeid) else _ONE if nodeid.startswith(_ONE) else file


def _is_long(nodeid: str) -> bool:
    return nodeid.startswith(_LONG)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _ByFile:
    config.option.loadscopereorder = False  # the order is ours
    return _ByFile(config, log)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores, because tests wait; none for a part, which is over before a worker has started."""
    is_part = config.args_source is not pytest.Config.ArgsSource.TESTPATHS or config.option.keyword
    waits = not config.option.no_processes
    return 0 if is_part else min(len(os.sched_getaffinity(0)) + waits, _MOST_WORKERS)


def begin_with_long_ones(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not _is_long(item.nodeid))
