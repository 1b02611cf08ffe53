"""What the routes ask for. Coroutines, because FastAPI would run plain functions in threads."""

from collections import Counter
from typing import Annotated, Final

from fastapi import Depends, Request

from loans_service.services.clients import Clients
from loans_service.services.commands import Commands
from loans_service.services.context import Policy, RequestContext
from loans_service.services.loans import Loans
from loans_service.services.payments import Payments
from service_kit.accounts.guard import CallerDep
from service_kit.api.dependencies import NowDep, provided
from service_kit.postgres.dependencies import SessionDep
from service_kit.problems import InvalidRequestError

_MAY_REPEAT: Final = frozenset({"status"})


async def _context(
    request: Request, caller: CallerDep, now: NowDep, policy: Annotated[Policy, provided(Policy)]
) -> RequestContext:
    return RequestContext(caller, now, request.scope["request_id"], policy)


ContextDep = Annotated[RequestContext, Depends(_context)]


async def _clients(session: SessionDep, context: ContextDep) -> Clients:
    return Clients(session, context)


async def _loans(session: SessionDep, context: ContextDep) -> Loans:
    return Loans(session, context)


async def _commands(session: SessionDep, context: ContextDep) -> Commands:
    return Commands(session, context)


async def _payments(session: SessionDep, context: ContextDep) -> Payments:
    return Payments(session, context)


ClientsDep = Annotated[Clients, Depends(_clients)]
LoansDep = Annotated[Loans, Depends(_loans)]
CommandsDep = Annotated[Commands, Depends(_commands)]
PaymentsDep = Annotated[Payments, Depends(_payments)]


async def _once_each(request: Request) -> None:
    """Refuse a filter that is given twice: of which one holds, a caller could only guess."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in given.items():
        if times > 1 and name not in _MAY_REPEAT:
            mistake = {"field": f"query.{name}"[:200], "message": "Send it once", "code": "repeated"}
            raise InvalidRequestError("The request repeats a filter. Send each of them once.", errors=[mistake])


ONCE_EACH: Final = Depends(_once_each)
"""For the `dependencies` of a list."""
