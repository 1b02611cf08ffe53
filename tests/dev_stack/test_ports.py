import socket

from dev_stack.ports import answers, free_port, is_free


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        assert answers("127.0.0.1", port)
    assert is_free(port)
    assert not answers("127.0.0.1", port)


def test_a_port_taken_on_every_address_is_not_free_on_ours() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - as a careless server would
        assert not is_free(server.getsockname()[1])


def test_a_free_port_can_be_listened_on() -> None:
    socket.create_server(("127.0.0.1", free_port())).close()
