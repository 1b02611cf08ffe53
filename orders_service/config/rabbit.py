"""Where the events of orders go: the exchange `events`, and from there `orders_queue`."""

from typing import Final

from orders_service.config.settings import OrdersSettings
from service_kit.rabbit.publisher import RabbitPublisher
from service_kit.rabbit.topology import QueueTopology

ORDERS_QUEUE: Final = QueueTopology(queue="orders_queue", topics=("order.*",))


def open_publisher(settings: OrdersSettings) -> RabbitPublisher:
    """The publisher for the broker that `settings` name."""
    url, queues = settings.rabbitmq_url.get_secret_value(), [ORDERS_QUEUE]
    return RabbitPublisher(url, settings.service, queues, readers=queues)
