"""The transaction of a request, for routes; a worker has no use for this module, and needs no FastAPI."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.postgres.store import PostgresStore
from service_kit.resources import Services


class TransactionRoute(APIRoute):
    """A route whose request is one transaction: for `APIRouter(route_class=TransactionRoute)`.

    It is committed before the answer leaves, and rolled back if the route raises. One that PostgreSQL undoes for
    another's sake is tried again with the same request: what such a route changes is in its session, and nowhere else.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As FastAPI makes it, in a transaction."""
        handle = super().get_route_handler()
        if not _needs_session(self.dependant):
            return handle

        async def handle_in_transaction(request: Request) -> Response:
            services: Services = request.app.state.services

            async def work(session: AsyncSession) -> Response:
                request.state.session = session
                return await handle(request)

            return await services[PostgresStore].in_transaction(work)

        return handle_in_transaction


def _needs_session(dependant: Dependant) -> bool:
    return dependant.call is _session or any(map(_needs_session, dependant.dependencies))


async def _session(request: Request) -> AsyncSession:
    session: AsyncSession = request.state.session
    return session


SessionDep = Annotated[AsyncSession, Depends(_session)]
"""The session of a `TransactionRoute`."""
