from pathlib import Path

import pytest

from dev_stack.services import SERVICES, UnknownServiceError, named_services

ROOT = Path(__file__).resolve().parents[2]


def test_an_unknown_name_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(
        UnknownServiceError,
        match=r"no service called order_service; there are user_service, orders_service, notifications_service, ",
    ):
        named_services(["user_service", "order_service"])


def test_no_name_is_all_services() -> None:
    assert named_services([]) == list(SERVICES)


def test_named_services_come_in_the_order_of_the_table() -> None:
    names = [service.name for service in named_services(["orders_service", "user_service"])]
    assert names == ["user_service", "orders_service"]


def test_the_procfile_starts_the_same_commands() -> None:
    lines = [line for line in (ROOT / "Procfile").read_text().splitlines() if not line.startswith("#")]
    assert lines == [f"{service.name}: python {' '.join(service.command)}" for service in SERVICES]
