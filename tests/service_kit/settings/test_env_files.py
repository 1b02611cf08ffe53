"""Settings of all services, of one service, and of a stack that runs: which file counts for whom."""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from service_kit.settings.env_files import STACK_ADDRESSES, STACK_LOCK
from service_kit.settings.environment import load_settings
from service_kit.settings.process import ServiceSettings
from service_kit.settings.stores import MongoSettings, PostgresSettings, RabbitSettings

pytestmark = pytest.mark.usefixtures("clean_environment")


class OrdersSettings(MongoSettings, ServiceSettings):
    """Those of a service whose folder the test makes."""

    service = "orders_service"
    mongodb_database: str = "orders_service"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of that service."""
    module = ModuleType("orders_service")
    module.__file__ = str(tmp_path / "orders_service" / "__init__.py")
    monkeypatch.setitem(sys.modules, "orders_service", module)
    monkeypatch.setattr(OrdersSettings, "__module__", "orders_service.config.settings")
    (tmp_path / "orders_service").mkdir()
    return tmp_path / "orders_service"


def orders_uri() -> str:
    return load_settings(OrdersSettings).mongodb_uri.get_secret_value()


@contextmanager
def running_stack(root: Path, addresses: str) -> Iterator[None]:
    """What `make up` leaves while it runs, and when it was killed."""
    (root / STACK_ADDRESSES).parent.mkdir(exist_ok=True)
    (root / STACK_ADDRESSES).write_text(addresses)
    with (root / STACK_LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_a_service_reads_the_file_of_all_and_its_own_which_goes_before(tmp_path: Path, folder: Path) -> None:
    (tmp_path / ".env").write_text("MONGODB_URI=mongodb://of-all\nLOG_LEVEL=DEBUG\n")
    (folder / ".env").write_text("MONGODB_URI=mongodb://its-own\nMONGODB_DATABASE=shop\n")

    settings = load_settings(OrdersSettings)

    assert settings.mongodb_uri.get_secret_value() == "mongodb://its-own"
    assert (settings.mongodb_database, settings.log_level) == ("shop", "DEBUG")


def test_a_service_does_not_read_another_ones_file(tmp_path: Path) -> None:
    (tmp_path / "user_service").mkdir()
    (tmp_path / "user_service" / ".env").write_text("MONGODB_DATABASE=user_service\n")

    assert load_settings(OrdersSettings).mongodb_database == "orders_service"


@pytest.mark.parametrize("name", ["MONGODB_DATABASE", "DATABASE_NAME", "PORT", "port"])
def test_refuses_the_file_of_all_when_it_holds_what_one_service_alone_can_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / ".env").write_text(f"LOG_LEVEL=DEBUG\n{name}=8001\n")

    with pytest.raises(SystemExit) as ended:
        load_settings(OrdersSettings)

    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        f"Cannot start: .env holds {name.upper()}, which no two services can share: move it to orders_service/.env, "
        "which that service alone reads.\n"
    )


def test_the_environment_may_hold_what_one_service_alone_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_DATABASE", "shop")

    assert load_settings(OrdersSettings).mongodb_database == "shop"


def test_another_file_may_be_named_instead_or_none(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("MONGODB_URI=mongodb://of-all\n")
    (folder / ".env").write_text("MONGODB_URI=mongodb://its-own\n")
    (tmp_path / "other.env").write_text("MONGODB_URI=mongodb://other\n")

    monkeypatch.setenv("ENV_FILE", "other.env")
    assert orders_uri() == "mongodb://other"
    monkeypatch.setenv("ENV_FILE", "")
    assert orders_uri() == "mongodb://127.0.0.1:27017"


def test_finds_the_servers_of_a_stack_that_runs(tmp_path: Path) -> None:
    with running_stack(
        tmp_path, "MONGODB_URI=mongodb://m:1\nRABBITMQ_URL=amqp://r:2/\nDATABASE_URL=postgresql://p:3\n"
    ):
        assert orders_uri() == "mongodb://m:1"
        assert load_settings(RabbitSettings).rabbitmq_url.get_secret_value() == "amqp://r:2/"
        assert load_settings(PostgresSettings).database_url.get_secret_value() == "postgresql://p:3"


def test_does_not_believe_what_a_stack_that_was_killed_has_left(tmp_path: Path) -> None:
    with running_stack(tmp_path, "MONGODB_URI=mongodb://m:1\n"):
        pass

    assert orders_uri() == "mongodb://127.0.0.1:27017"


@pytest.mark.parametrize(
    ("named", "uri"),
    [
        ({"MONGODB_URI": "mongodb://ours"}, "mongodb://ours"),
        ({"MONGO_URL": "mongodb://ours"}, "mongodb://ours"),
        ({"ENVIRONMENT": "production", "ALLOW_OPEN_STORES": "true"}, "mongodb://127.0.0.1:27017"),
        ({"ENV_FILE": ""}, "mongodb://127.0.0.1:27017"),
    ],
)
def test_what_is_named_goes_before_a_stack_that_runs_and_production_never_asks_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: dict[str, str], uri: str
) -> None:
    for name, value in named.items():
        monkeypatch.setenv(name, value)

    with running_stack(tmp_path, "MONGODB_URI=mongodb://m:1\n"):
        assert orders_uri() == uri


def test_a_file_goes_before_a_stack_that_runs(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MONGODB_URI=mongodb://of-all\n")

    with running_stack(tmp_path, "MONGODB_URI=mongodb://m:1\n"):
        assert orders_uri() == "mongodb://of-all"


def test_a_name_with_the_services_own_in_front_goes_before_the_plain_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(
        "ORDERS_SERVICE_LOG_LEVEL=ERROR\nLOG_LEVEL=DEBUG\nORDERS_SERVICE_MONGODB_DATABASE=shop\nUSER_SERVICE_LOG_LEVEL=INFO\n"
    )
    monkeypatch.setenv("ORDERS_SERVICE_LOG_FORMAT", "json")
    monkeypatch.setenv("LOG_FORMAT", "console")

    settings = load_settings(OrdersSettings)

    assert (settings.log_level, settings.log_format, settings.mongodb_database) == ("ERROR", "json", "shop")


def test_a_plain_name_in_the_environment_goes_before_any_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("ORDERS_SERVICE_LOG_LEVEL=ERROR\n")
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")

    assert load_settings(OrdersSettings).log_level == "DEBUG"


def test_ports_and_addresses_of_the_machine_are_no_settings_of_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker compose and `make up` call a port of the machine so, and Kubernetes tells every pod of the others so."""
    monkeypatch.setenv("ORDERS_SERVICE_PORT", "9999")
    monkeypatch.setenv("ORDERS_SERVICE_HOST", "10.0.0.7")

    settings = load_settings(OrdersSettings)

    assert (settings.port, settings.host) == (8000, "127.0.0.1")
