"""Accepted means delivered: whatever stops in between, every order answered 201 gets its line, and only one."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from dev_stack.servers.mongod import Mongod
from dev_stack.servers.rabbitmq import RabbitNode
from tests.end_to_end.conftest import Crowd, place, until
from tests.support.system import WISH, ServiceProcess, announcements


def lines_of(order_id: str, service: ServiceProcess) -> list[str]:
    return [line for line in service.lines() if order_id in line]


def has_lines_for(order_ids: list[str], *services: ServiceProcess) -> Callable[[], bool]:
    return lambda: set(order_ids) <= set(announcements(*services))


def repeated_among(order_ids: list[str], *services: ServiceProcess) -> set[str]:
    told = announcements(*services)
    return {order_id for order_id in order_ids if told.count(order_id) > 1}


def test_an_order_makes_one_line_and_its_cancellation_another(
    orders: ServiceProcess, notifications: ServiceProcess
) -> None:
    order_id = place(orders, **{"Idempotency-Key": "journey"}).json()["id"]
    again = place(orders, **{"Idempotency-Key": '"journey"'})
    httpx.post(f"{orders.url}/orders/{order_id}/cancel")
    httpx.post(f"{orders.url}/orders/{order_id}/cancel")

    until(lambda: len(lines_of(order_id, notifications)) > 1)

    assert again.json()["id"] == order_id
    assert lines_of(order_id, notifications) == [f"New order received: {order_id}", f"Order cancelled: {order_id}"]


def test_orders_are_accepted_while_the_broker_is_away_also_before_anybody_has_ever_seen_it(
    orders: ServiceProcess, notifications: ServiceProcess, rabbit: RabbitNode
) -> None:
    rabbit.stop()
    try:
        before = place(orders)
        orders.stop()
        notifications.stop()
        notifications.spawn()
        until(notifications.is_alive)
        orders.start()  # it is ready without the broker
        after = place(orders)
        is_ready_without = notifications.is_ready()
    finally:
        rabbit.start()
    order_ids = [before.json()["id"], after.json()["id"]]

    until(has_lines_for(order_ids, notifications))

    assert (before.status_code, after.status_code, is_ready_without) == (201, 201, False)
    assert repeated_among(order_ids, notifications) == set()


def test_orders_are_refused_soon_while_the_store_is_away_and_accepted_when_it_is_back(
    orders: ServiceProcess, notifications: ServiceProcess, mongod: Mongod
) -> None:
    process_id = orders.pid
    mongod.stop()
    try:
        started = time.monotonic()
        refused = place(orders)
        seconds = time.monotonic() - started
        is_ready_without = orders.is_ready()
    finally:
        mongod.start()
    until(lambda: place(orders).status_code == httpx.codes.CREATED)
    order_id = place(orders).json()["id"]

    until(has_lines_for([order_id], notifications))

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert seconds < 5
    assert not is_ready_without
    assert orders.pid == process_id


async def test_a_service_that_is_told_to_stop_under_load_leaves_nothing_behind(
    orders: ServiceProcess, notifications: ServiceProcess, waiting_events: Callable[[], int]
) -> None:
    until(lambda: waiting_events() == 0)

    async with Crowd([orders.url]) as crowd:
        await crowd.has_placed(200)
        await asyncio.to_thread(orders.stop)

    assert orders.wait() == 0
    assert crowd.refused == []
    assert waiting_events() == 0
    until(has_lines_for(crowd.accepted, notifications), seconds=5)


async def test_a_consumer_that_is_told_to_stop_in_the_middle_repeats_nothing_and_loses_nothing(
    orders: ServiceProcess, notifications: ServiceProcess
) -> None:
    notifications.stop()
    async with Crowd([orders.url]) as crowd:
        await crowd.has_placed(500)
    notifications.spawn()
    until(lambda: bool(set(crowd.accepted) & set(announcements(notifications))))

    notifications.stop()
    status = notifications.wait()
    notifications.start()
    until(has_lines_for(crowd.accepted, notifications))

    assert status == 0
    assert repeated_among(crowd.accepted, notifications) == set()


@pytest.fixture
def second_orders(addresses: dict[str, str], tmp_path: Path) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path / "orders", "orders_service", **addresses) as process:
        yield process


@pytest.fixture
def second_notifications(addresses: dict[str, str], tmp_path: Path) -> Iterator[ServiceProcess]:
    """Writes JSON, in which the words are the same."""
    settings = {**addresses, "LOG_FORMAT": "json"}
    with ServiceProcess(tmp_path / "notifications", "notifications_service", **settings) as process:
        yield process


async def test_two_of_each_share_the_work_and_do_nothing_twice(
    orders: ServiceProcess,
    second_orders: ServiceProcess,
    notifications: ServiceProcess,
    second_notifications: ServiceProcess,
) -> None:
    async with Crowd([orders.url, second_orders.url]) as crowd:
        await crowd.has_placed(300)
    headers = {"Idempotency-Key": "two-replicas"}
    async with httpx.AsyncClient() as client:
        urls = [f"{service.url}/orders" for service in (orders, second_orders)] * 50
        keyed = await asyncio.gather(*(client.post(url, json=WISH, headers=headers) for url in urls))

    both = (notifications, second_notifications)
    order_ids = [*crowd.accepted, keyed[0].json()["id"]]
    until(has_lines_for(order_ids, *both))

    assert {(answer.status_code, answer.content) for answer in keyed} == {(201, keyed[0].content)}
    assert repeated_among(order_ids, *both) == set()
    assert all(set(announcements(service)) & set(crowd.accepted) for service in both)
