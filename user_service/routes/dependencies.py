"""What the routes ask for. Coroutines, because FastAPI would run plain functions in threads."""

from typing import Annotated

from fastapi import Depends, Request

from service_kit.mongo.client import MongoStore
from user_service.services.users import Users


async def _users(request: Request) -> Users:
    users: Users = request.app.state.users
    return users


async def _store(request: Request) -> MongoStore:
    store: MongoStore = request.app.state.store
    return store


UsersDep = Annotated[Users, Depends(_users)]
StoreDep = Annotated[MongoStore, Depends(_store)]
