"""`deploy/rabbitmq/definitions` on a real broker: each account may do what its service does, and no more."""

import asyncio
import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import AMQPError
from aiormq.exceptions import ChannelAccessRefused
from pydantic import SecretStr

from dev_stack.ports import free_port
from dev_stack.servers.rabbitmq import RabbitNode
from dev_stack.services import SERVICES
from notifications_service.config import rabbit as notifications
from orders_service.config import rabbit as orders
from orders_service.config.settings import OrdersSettings
from passengers_service.config import rabbit as passengers
from passengers_service.config.settings import PassengersSettings
from reservations_service.config import rabbit as reservations
from reservations_service.config.settings import ReservationsSettings
from service_kit.messaging.broker import Outcome, OutgoingMessage
from service_kit.rabbit.connection import connect
from service_kit.rabbit.publisher import RabbitPublisher
from service_kit.rabbit.topology import QueueTopology
from service_kit.settings.addresses import with_account
from tests.support.rabbit_support import PATIENCE_SECONDS, rabbitmqctl

SCRIPT = Path(__file__).parents[2] / "deploy" / "rabbitmq" / "definitions"
PASSWORD = 'p@ss/w#1 "\\ $x'
PASSWORDS = {
    "RABBITMQ_PASSWORD": "of the administrator",
    **{service.password: PASSWORD for service in SERVICES if service.broker},
}
VHOSTS = {service.name: service.broker.vhost for service in SERVICES if service.broker}
DECLARED: dict[str, Sequence[QueueTopology]] = {
    "orders_service": [orders.ORDERS_QUEUE],
    "notifications_service": [notifications.ORDERS_QUEUE],
    "passengers_service": [passengers.PASSENGERS_QUEUE, passengers.RESERVATIONS_QUEUE],
    "reservations_service": [reservations.PASSENGERS_QUEUE, reservations.RESERVATIONS_QUEUE],
}


def _printed(environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own script
        [SCRIPT], env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False
    )


async def _import(node: RabbitNode, passwords: dict[str, str]) -> None:
    """Give a broker the accounts, as it does itself when it starts."""
    definitions = node.folder / "definitions.json"
    definitions.write_text(_printed(passwords).stdout)
    await rabbitmqctl(node, "import_definitions", str(definitions))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    """A broker of its own with the accounts: they are for its default virtual host too."""
    with RabbitNode(tmp_path_factory.mktemp("accounts"), free_port()) as server:
        asyncio.run(_import(server, PASSWORDS))
        yield server


@pytest.fixture(params=sorted(VHOSTS))
def account(request: pytest.FixtureRequest) -> str:
    """Each account of a service, one after the other."""
    return str(request.param)


def _url(broker: RabbitNode, account: str, *, vhost: str | None = None) -> str:
    path = (vhost or VHOSTS[account]).removeprefix("/")
    address = SecretStr(f"amqp://127.0.0.1:{broker.port}/{path}")
    return with_account(address, account, SecretStr(PASSWORD)).get_secret_value()


async def _refuses(channel: AbstractChannel, exchange: str, topic: str) -> bool:
    """Whether the broker lets this channel not publish that."""
    try:
        if exchange:
            target = await channel.get_exchange(exchange, ensure=False)
        else:
            target = channel.default_exchange
        await target.publish(aio_pika.Message(b"{}"), topic, mandatory=False)
    except ChannelAccessRefused:
        return True
    return False


async def test_lets_each_service_declare_all_that_it_declares(broker: RabbitNode, account: str) -> None:
    async with await connect(_url(broker, account), account) as connection:
        channel = await connection.channel()
        for topology in DECLARED[account]:
            await topology.declare(channel)


def _publisher(broker: RabbitNode, account: str) -> RabbitPublisher:
    """As the service makes it, with the readers of its events."""
    url = SecretStr(_url(broker, account))
    match account:
        case "orders_service":
            return orders.open_publisher(OrdersSettings(rabbitmq_url=url))
        case "passengers_service":
            return passengers.open_publisher(PassengersSettings(rabbitmq_url=url))
        case "reservations_service":
            return reservations.open_publisher(ReservationsSettings(rabbitmq_url=url))
    return RabbitPublisher(url.get_secret_value(), account, DECLARED[account])  # a consumer's, for its copies


@pytest.mark.parametrize(
    ("account", "exchange", "topic"),
    [
        ("orders_service", "events", "order.created"),
        ("notifications_service", "", "orders_queue.retry.1s"),
        ("notifications_service", "", "orders_queue.dead"),
        ("passengers_service", "events", "passenger.changed"),
        ("passengers_service", "", "passengers_queue.dead"),
        ("reservations_service", "events", "passenger.changed"),
        ("reservations_service", "", "reservations_queue.retry.60s"),
    ],
)
async def test_lets_each_service_publish_what_it_publishes(
    broker: RabbitNode, account: str, exchange: str, topic: str
) -> None:
    publisher = _publisher(broker, account)
    message = OutgoingMessage("one", topic, b"{}", "application/json", exchange=exchange)

    async with publisher.running(), asyncio.timeout(PATIENCE_SECONDS):
        await publisher.connected()
        assert await publisher.publish([message]) == [Outcome.CONFIRMED]
        assert await publisher.verdict(publisher.generation) is Outcome.CONFIRMED


async def test_lets_each_consumer_read_its_queue(broker: RabbitNode) -> None:
    own = {
        "notifications_service": notifications.ORDERS_QUEUE,
        "passengers_service": passengers.PASSENGERS_QUEUE,
        "reservations_service": reservations.RESERVATIONS_QUEUE,
    }
    for account, topology in own.items():
        async with await connect(_url(broker, account), account) as connection:
            channel = await connection.channel()
            await topology.declare(channel)
            for name in (topology.queue, topology.dead_queue):
                queue = await channel.declare_queue(name, passive=True)
                await queue.get(fail=False)


@pytest.mark.parametrize(
    ("account", "exchange", "topic"),
    [
        ("orders_service", "events", "passenger.changed"),
        ("orders_service", "amq.topic", "order.created"),
        ("notifications_service", "events", "order.created"),
        ("passengers_service", "events", "order.created"),
        ("passengers_service", "amq.fanout", "passenger.changed"),
        ("reservations_service", "events", "order.created"),
    ],
)
async def test_refuses_what_a_service_does_not_tell(
    broker: RabbitNode, account: str, exchange: str, topic: str
) -> None:
    async with await connect(_url(broker, account), account) as connection:
        for topology in DECLARED[account]:
            await topology.declare(await connection.channel())
        assert await _refuses(await connection.channel(), exchange, topic)


async def test_keeps_each_system_out_of_the_other(broker: RabbitNode, account: str) -> None:
    other = "passengers" if VHOSTS[account] == "/" else "/"

    with pytest.raises(AMQPError):
        await connect(_url(broker, account, vhost=other), account)


async def test_lets_nobody_make_a_queue_of_another_name(broker: RabbitNode, account: str) -> None:
    async with await connect(_url(broker, account), account) as connection:
        with pytest.raises(ChannelAccessRefused):
            await (await connection.channel()).declare_queue("a_queue_of_a_strangers", durable=True)


async def test_changes_a_password_when_it_starts_again(broker: RabbitNode) -> None:
    await _import(broker, PASSWORDS | {"ORDERS_SERVICE_PASSWORD": "another"})
    try:
        with pytest.raises(AMQPError):
            await connect(_url(broker, "orders_service"), "orders_service")
    finally:
        await _import(broker, PASSWORDS)


def test_takes_any_password_as_it_is() -> None:
    definitions: dict[str, Any] = json.loads(_printed(PASSWORDS).stdout)

    assert [user["password"] for user in definitions["users"]] == ["of the administrator", *[PASSWORD] * len(VHOSTS)]


@pytest.mark.parametrize("name", sorted(PASSWORDS))
@pytest.mark.parametrize("word", ["", "services"])
def test_refuses_a_password_in_production_that_everybody_knows(name: str, word: str) -> None:
    refused = _printed({**PASSWORDS, name: word})

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"Cannot start: {name}: set a password of your own, or ALLOW_OPEN_STORES=true if that is meant.\n"
    )


@pytest.mark.parametrize("meant", [{"ENVIRONMENT": "development"}, {"ALLOW_OPEN_STORES": "true"}])
def test_starts_without_any_configuration_where_that_is_meant(meant: dict[str, str]) -> None:
    definitions: dict[str, Any] = json.loads(_printed(meant).stdout)

    assert {user["password"] for user in definitions["users"]} == {"services"}
