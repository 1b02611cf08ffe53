"""The guard of routes: a bearer token, and the service's table of permissions. Swagger's Authorize button knows it."""

from dataclasses import replace
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import OAuth2PasswordBearer
from starlette.types import Scope

from service_kit.accounts.assembly import Accounts
from service_kit.accounts.caller import Caller, NotAllowedError, PasswordChangeRequiredError, TokenInvalidError
from service_kit.accounts.history import Origin
from service_kit.api.dependencies import provided
from service_kit.api.guards import Guard
from service_kit.api.proxies import caller_address
from service_kit.clock import utc_now
from service_kit.postgres.store import PostgresStore
from service_kit.resources import Services

_BEARER: Final = OAuth2PasswordBearer(
    "auth/token",
    refreshUrl="auth/token",
    scheme_name="Login",
    description="E-mail address and password of an account.",
    auto_error=False,
)


async def _guard(request: Request, sent: Annotated[str | None, Security(_BEARER)]) -> Caller | None:
    """Let a request through that its caller may make; None of an operation that is public."""
    request.state.caller = caller = await _let_in(request, sent)
    return caller


async def _let_in(request: Request, sent: str | None) -> Caller | None:
    services: Services = request.app.state.services
    accounts = services[Accounts]
    rule = accounts.policy.permissions.rule_of(request.method, _path_of(request.scope))
    if rule.is_public:
        return None
    if sent is None:
        raise TokenInvalidError
    token = accounts.access_tokens.read(sent, utc_now())
    session = getattr(request.state, "session", None)
    if session is not None:
        return await accounts.callers.find(session, token, rule)
    async with services[PostgresStore].transaction() as own_session:  # of a route that is no transaction itself
        return await accounts.callers.find(own_session, token, rule)


def _path_of(scope: Scope) -> str:
    """The route's template; FastAPI's own context has the prefix of an included router."""
    route = scope.get("fastapi", {}).get("effective_route_context") or scope["route"]
    path: str = route.path
    return path


async def _caller(caller: Annotated[Caller | None, Depends(_guard)]) -> Caller:
    if caller is None:
        raise TokenInvalidError  # a public route knows no caller
    return caller


CallerDep = Annotated[Caller, Depends(_caller)]
"""Who has sent the request, of a route that is not public."""


async def _public_origin(request: Request) -> Origin:
    agent = request.headers.get("user-agent", "")
    return Origin(caller_address(request.scope), agent, request.scope["request_id"])


PublicOriginDep = Annotated[Origin, Depends(_public_origin)]
"""Where the request comes from, of a route without a guard."""


async def _origin(origin: PublicOriginDep, caller: CallerDep) -> Origin:
    return replace(origin, actor_id=caller.account_id, session_id=caller.session_id)


OriginDep = Annotated[Origin, Depends(_origin)]
"""Where the request comes from, and who has sent it: for the history."""


AccountsDep = Annotated[Accounts, provided(Accounts)]

ACCOUNT_GUARD: Final = Guard(_guard, _BEARER, (TokenInvalidError, NotAllowedError, PasswordChangeRequiredError))
"""For `create_app`: every route wants a token, and what the permissions say of it."""
