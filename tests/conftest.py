"""Real servers for the tests that ask for them: started once a session, on free ports, with temporary data."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from dev_stack.ports import free_port
from dev_stack.servers.mongod import Mongod
from dev_stack.servers.postgres import Postgres
from dev_stack.servers.rabbitmq import RabbitNode
from tests.support.no_processes import (
    leave_out_processes,
    pytest_addoption,
    pytest_runtest_makereport,
)
from tests.support.parallel import (
    begin_with_long_ones,
    pytest_xdist_auto_num_workers,
    pytest_xdist_make_scheduler,
)

__all__ = [
    "pytest_addoption",
    "pytest_runtest_makereport",
    "pytest_xdist_auto_num_workers",
    "pytest_xdist_make_scheduler",
]

# Tests read no file of the developer's, nor where a `make up` beside them runs.
os.environ["ENV_FILE"] = ""

# How long one example takes depends on what else the machine does; speed is what the benchmarks measure.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.hookimpl(trylast=True)  # after they were shuffled
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    leave_out_processes(config, items)
    begin_with_long_ones(items)


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A standalone MongoDB, as on Railway; it has no transactions."""
    with Mongod(tmp_path_factory.mktemp("mongod"), free_port()) as server:
        yield server


@pytest.fixture(scope="session")
def mongod_replica_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A MongoDB that is a replica set of one member."""
    with Mongod(tmp_path_factory.mktemp("replica_set"), free_port(), replica_set="rs0") as server:
        yield server


@pytest.fixture(scope="session")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    """A RabbitMQ."""
    with RabbitNode(tmp_path_factory.mktemp("rabbit"), free_port()) as server:
        yield server


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL; whoever uses it makes a database of its own in it."""
    with Postgres(tmp_path_factory.mktemp("postgres"), free_port(), temporary=True) as server:
        yield server
