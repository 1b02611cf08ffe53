"""This service's own, tolerant classes of foreign events: the fields it needs, and no others."""

from typing import Final

import msgspec

ORDER_CREATED: Final = "order.created"
ORDER_CANCELLED: Final = "order.cancelled"


class OrderRef(msgspec.Struct, frozen=True):
    """Any event about an order."""

    order_id: str
