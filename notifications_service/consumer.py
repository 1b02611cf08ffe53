"""notifications_service: listens to `orders_queue` and prints a line an order. A table of contents; start reading here.

Runs by `python -m notifications_service.consumer`, and by `python notifications_service/consumer.py` too.
"""

import sys
from pathlib import Path

if not __package__:  # Run by its path: Python then looks for packages in the folder of this file.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from notifications_service.announcements import announcements
from notifications_service.config.rabbit import ORDERS_QUEUE
from notifications_service.config.settings import NotificationsSettings
from service_kit.observability.logs import announcer
from service_kit.rabbit.consumer import Consumer
from service_kit.runtime.worker import run_worker
from service_kit.settings.environment import load_settings


def main() -> None:
    """Consume until SIGTERM."""
    settings = load_settings(NotificationsSettings)
    url = settings.rabbitmq_url.get_secret_value()
    handlers = announcements(announcer(settings))
    run_worker(settings, [Consumer(url, settings.service, ORDERS_QUEUE, handlers)])


if __name__ == "__main__":
    main()
