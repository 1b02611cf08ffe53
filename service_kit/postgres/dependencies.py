"""The transaction of a request, for routes. Workers do not import this module, so they need no FastAPI."""

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

    It is committed before the response is sent, and rolled back if the route raises. After a deadlock or serialisation
    failure it is tried again with the same request, so such a route must change nothing outside of its session.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
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
