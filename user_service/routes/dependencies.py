"""What the routes ask for."""

from typing import Annotated

from fastapi import Depends, Request

from service_kit.mongo import MongoStore
from user_service.services.users import Users


def _users(request: Request) -> Users:
    users: Users = request.app.state.users
    return users


def _store(request: Request) -> MongoStore:
    store: MongoStore = request.app.state.store
    return store


UsersDep = Annotated[Users, Depends(_users)]
StoreDep = Annotated[MongoStore, Depends(_store)]
