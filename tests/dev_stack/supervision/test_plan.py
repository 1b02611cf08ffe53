import socket
from pathlib import Path

import pytest

from dev_stack.ports import free_port
from dev_stack.services import SERVICES, Service, named_services
from dev_stack.supervision.plan import MisplacedSettingError, Plan, PortInvalidError, PortTakenError, environment_of

LONELY = Service(name="lonely", command=(), port=1)


def _plan(*names: str, root: Path = Path("/nowhere"), **environment: str) -> Plan:
    return Plan.of(named_services(names), root=root, environment=environment)


@pytest.mark.parametrize(
    ("names", "servers"),
    [
        (["user_service"], ["mongodb"]),
        (["notifications_service"], ["rabbitmq"]),
        (["orders_service"], ["mongodb", "rabbitmq"]),
    ],
)
def test_only_the_servers_that_services_need_are_started(names: list[str], servers: list[str]) -> None:
    assert list(_plan(*names).embedded) == servers


def test_a_server_that_the_environment_names_is_used_instead() -> None:
    plan = _plan("orders_service", MONGODB_URI="mongodb://elsewhere:27017")
    assert list(plan.embedded) == ["rabbitmq"]
    assert plan.service_environment(8002)["MONGODB_URI"] == "mongodb://elsewhere:27017"


def test_services_learn_where_to_listen_and_where_their_servers_are() -> None:
    environment = _plan("orders_service", LOG_LEVEL="DEBUG", PORT="1").service_environment(8002)
    assert environment["MONGODB_URI"] == "mongodb://127.0.0.1:27018"
    assert environment["RABBITMQ_URL"] == "amqp://guest:guest@127.0.0.1:5673/"
    assert (environment["HOST"], environment["PORT"], environment["LOG_FORMAT"]) == ("127.0.0.1", "8002", "console")
    assert environment["LOG_LEVEL"] == "DEBUG"


def test_a_service_on_postgres_learns_its_address() -> None:
    service = Service(name="tables", command=(), port=1, servers=("postgres",))
    ours = Plan.of([service], root=Path("/nowhere"), environment={})
    assert ours.service_environment(1)["DATABASE_URL"] == "postgresql://postgres@127.0.0.1:5434"
    named = Plan.of([service], root=Path("/nowhere"), environment={"DATABASE_URL": "postgresql://elsewhere:5432/shop"})
    assert not named.embedded
    assert named.service_environment(1)["DATABASE_URL"] == "postgresql://elsewhere:5432/shop"


def test_the_environment_goes_before_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=DEBUG\nAPI_KEY=from-file\n")
    assert environment_of(tmp_path, {"LOG_LEVEL": "ERROR"}) == {"LOG_LEVEL": "ERROR", "API_KEY": "from-file"}


@pytest.mark.parametrize("name", ["MONGODB_DATABASE", "DATABASE_NAME", "PORT"])
def test_an_env_file_of_one_service_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / ".env").write_text(f"API_KEY=x\n{name}=user_service\n")
    with pytest.raises(MisplacedSettingError, match=rf"^\.env holds {name}, .*: move it to <service>/\.env, "):
        environment_of(tmp_path, {})


@pytest.mark.parametrize(
    ("names", "variable"),
    [
        (("user_service", "orders_service"), "MONGODB_DATABASE"),
        (("passengers_service", "reservations_service"), "DATABASE_NAME"),
    ],
)
def test_one_database_for_two_services_is_refused(names: tuple[str, str], variable: str) -> None:
    with pytest.raises(MisplacedSettingError, match=f"would give {' and '.join(names)} one database"):
        Plan.of(named_services(names), root=Path("/nowhere"), environment={variable: "shop"})
    alone = Plan.of(named_services(names[:1]), root=Path("/nowhere"), environment={variable: "shop"})
    assert alone.service_environment(1)[variable] == "shop"


def test_a_service_of_the_stack_reads_no_file_by_itself() -> None:
    assert _plan("user_service").service_environment(1)["ENV_FILE"] == ""


def test_a_taken_port_is_refused_with_who_wants_it_and_how_to_choose_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        plan = Plan.of([LONELY], root=Path("/nowhere"), environment={"LONELY_PORT": str(port)})
        with pytest.raises(PortTakenError, match=rf"^Port {port} is taken, and lonely wants it: .* by LONELY_PORT\.$"):
            plan.refuse_taken_ports()


def test_a_port_that_two_want_is_refused() -> None:
    port = free_port()
    plan = _plan("user_service", MONGODB_PORT=str(port), USER_SERVICE_PORT=str(port))
    with pytest.raises(PortTakenError, match=f"Port {port} is wanted by mongodb and user_service"):
        plan.refuse_taken_ports()


@pytest.mark.parametrize("text", ["eighty", "0", "65536", "-1", "²"])
def test_a_variable_that_holds_no_port_is_refused(text: str) -> None:
    with pytest.raises(PortInvalidError, match=r"USER_SERVICE_PORT is .* which is no port"):
        _plan("user_service", USER_SERVICE_PORT=text)


def test_data_of_a_server_stays_in_its_own_folder(tmp_path: Path) -> None:
    folders = [server.folder for server in _plan(root=tmp_path).embedded.values()]
    assert folders == [tmp_path / ".data" / key for key in ("mongodb", "rabbitmq", "postgres")]


def test_no_two_services_have_one_port() -> None:
    assert len({service.port for service in SERVICES}) == len(SERVICES)
