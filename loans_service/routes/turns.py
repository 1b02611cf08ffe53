"""Changes of one loan, one after the other, without each of them holding a connection while it waits.

PostgreSQL's lock of the loan's row decides who is next, also between processes. But whoever waits there has taken a
connection from the pool, which two hundred payments at once would empty for everybody.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final
from weakref import WeakValueDictionary

from fastapi import Request, Response

from service_kit.postgres.dependencies import TransactionRoute

_TURNS: Final[WeakValueDictionary[str, asyncio.Lock]] = WeakValueDictionary()


class TurnRoute(TransactionRoute):
    """A route that changes the loan of its path, in a transaction: in this process one request at a time."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As for a transaction, but whoever only reads needs no turn."""
        handle = super().get_route_handler()
        if "POST" not in (self.methods or ()):
            return handle

        async def handle_in_turn(request: Request) -> Response:
            await request.body()  # nobody waits for a slow sender
            loan_id = str(request.path_params["loan_id"])
            async with _TURNS.setdefault(loan_id, asyncio.Lock()):
                return await handle(request)

        return handle_in_turn
