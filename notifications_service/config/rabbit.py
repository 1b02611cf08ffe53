"""Where notifications come from: `orders_queue`.

Declared as its publisher declares it, so that either may start first; a contract test holds the two together.
"""

from typing import Final

from service_kit.rabbit.topology import QueueTopology

ORDERS_QUEUE: Final = QueueTopology(queue="orders_queue", topics=("order.*",))
