"""Where the changes of passengers go, and where those of passengers_service come from.

Both services publish to the exchange `events`; each has a queue of its own, and both declare both, so no change is lost
that is published before the other side has ever run.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from reservations_service.config.settings import ReservationsSettings
from service_kit.messaging.events import Event
from service_kit.rabbit.publisher import RabbitPublisher
from service_kit.rabbit.topology import QueueTopology
from service_kit.runtime.background_consumer import BackgroundConsumer

RESERVATIONS_QUEUE: Final = QueueTopology(queue="reservations_queue", topics=("passenger.*",))
PASSENGERS_QUEUE: Final = QueueTopology(queue="passengers_queue", topics=("passenger.*",))


def open_publisher(settings: ReservationsSettings) -> RabbitPublisher:
    """The publisher for the broker that `settings` name."""
    queues = [RESERVATIONS_QUEUE, PASSENGERS_QUEUE]
    return RabbitPublisher(
        settings.rabbitmq_url.get_secret_value(), settings.service, queues, readers=[PASSENGERS_QUEUE]
    )


def open_consumer(settings: ReservationsSettings, handle: Callable[[Event], Awaitable[None]]) -> BackgroundConsumer:
    """The consumer of `reservations_queue`."""
    return BackgroundConsumer(settings.rabbitmq_url.get_secret_value(), settings.service, RESERVATIONS_QUEUE, handle)
