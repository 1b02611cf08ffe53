"""Where the changes of passengers go, and where those of the other copy come from.

Both services publish to the exchange `events`; each has a queue of its own, and both declare both, so no change is lost
that is published before the other side has ever run.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from passengers_service.config.settings import PassengersSettings
from service_kit.messaging.events import Event
from service_kit.rabbit.publisher import RabbitPublisher
from service_kit.rabbit.topology import QueueTopology
from service_kit.runtime.background_consumer import BackgroundConsumer

PASSENGERS_QUEUE: Final = QueueTopology(queue="passengers_queue", topics=("passenger.*",))
RESERVATIONS_QUEUE: Final = QueueTopology(queue="reservations_queue", topics=("passenger.*",))


def open_publisher(settings: PassengersSettings) -> RabbitPublisher:
    """The publisher for the broker that `settings` name."""
    queues = [PASSENGERS_QUEUE, RESERVATIONS_QUEUE]
    return RabbitPublisher(
        settings.rabbitmq_url.get_secret_value(), settings.service, queues, readers=[RESERVATIONS_QUEUE]
    )


def open_consumer(settings: PassengersSettings, handle: Callable[[Event], Awaitable[None]]) -> BackgroundConsumer:
    """The consumer of `passengers_queue`."""
    return BackgroundConsumer(settings.rabbitmq_url.get_secret_value(), settings.service, PASSENGERS_QUEUE, handle)
