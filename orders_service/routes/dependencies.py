"""What the routes ask for."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from orders_service.services.orders import Orders
from service_kit.clock import utc_now
from service_kit.mongo import MongoStore


def _orders(request: Request) -> Orders:
    orders: Orders = request.app.state.orders
    return orders


def _store(request: Request) -> MongoStore:
    store: MongoStore = request.app.state.store
    return store


async def _now() -> datetime:
    return utc_now()


OrdersDep = Annotated[Orders, Depends(_orders)]
StoreDep = Annotated[MongoStore, Depends(_store)]
NowDep = Annotated[datetime, Depends(_now)]
