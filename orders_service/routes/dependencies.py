"""What the routes ask for. Coroutines, because FastAPI would run plain functions in threads."""

from typing import Annotated

from fastapi import Depends, Request

from orders_service.services.orders import Orders
from service_kit.mongo.client import MongoStore


async def _orders(request: Request) -> Orders:
    orders: Orders = request.app.state.orders
    return orders


async def _store(request: Request) -> MongoStore:
    store: MongoStore = request.app.state.store
    return store


OrdersDep = Annotated[Orders, Depends(_orders)]
StoreDep = Annotated[MongoStore, Depends(_store)]
