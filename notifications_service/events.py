"""This service's own, tolerant classes of foreign events: the fields it needs, and no others."""

from typing import Annotated, Final

import msgspec

ORDER_CREATED: Final = "order.created"
ORDER_CANCELLED: Final = "order.cancelled"


_OrderId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}\Z")]
"""One word, so that any sender can only make one line; anything else is dead-lettered."""


class OrderRef(msgspec.Struct, frozen=True):
    """Any event about an order."""

    order_id: _OrderId
