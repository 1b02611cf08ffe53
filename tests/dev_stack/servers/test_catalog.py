import socket

import pytest

from dev_stack.ports import free_port
from dev_stack.servers.catalog import NamedServer


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mongodb+srv://ana:s3cret@cluster.example/shop", "mongodb+srv://ana:***@cluster.example/shop"),
        ("amqp://broker:5672/", "amqp://broker:5672/"),
    ],
)
def test_a_password_is_not_shown(url: str, shown: str) -> None:
    assert NamedServer("MONGODB_URI", url).shown_url == shown


def test_a_server_is_silent_when_none_of_its_hosts_answers() -> None:
    url = f"mongodb://ana:s3cret@127.0.0.1:{free_port()},127.0.0.1:{free_port()}/?replicaSet=rs0"
    assert NamedServer("MONGODB_URI", url).is_silent()


def test_a_server_is_not_silent_when_one_of_its_hosts_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"mongodb://127.0.0.1:{free_port()},127.0.0.1:{other.getsockname()[1]}"
        assert not NamedServer("MONGODB_URI", url).is_silent()


def test_hosts_that_a_name_service_knows_are_not_asked() -> None:
    assert not NamedServer("MONGODB_URI", "mongodb+srv://cluster.example").is_silent()
