"""`POST /auth/token`: logging in, and refreshing. Anybody may call it."""

from typing import Annotated, Final

from fastapi import APIRouter, Form

from service_kit.accounts.assembly import Accounts
from service_kit.accounts.errors import (
    BadCredentialsError,
    RefreshInvalidError,
    RefreshReusedError,
    TokenRequestError,
    TooManyAttemptsError,
)
from service_kit.accounts.guard import AccountsDep, PublicOriginDep
from service_kit.accounts.history import Origin
from service_kit.accounts.models import TokenForm, Tokens
from service_kit.accounts.passwords import TooManyPasswordsError
from service_kit.accounts.sessions import Grant
from service_kit.api.dependencies import NowDep
from service_kit.problems import problems

router = APIRouter(tags=["auth"])

_REFUSALS: Final = problems(
    BadCredentialsError, RefreshInvalidError, RefreshReusedError, TooManyAttemptsError, TooManyPasswordsError
)


@router.post("/auth/token", summary="Log in, or refresh", responses=_REFUSALS)
async def give_tokens(
    form: Annotated[TokenForm, Form()], accounts: AccountsDep, origin: PublicOriginDep, now: NowDep
) -> Tokens:
    """Log in with `grant_type=password`, or exchange a refresh token for the next pair.

    A refresh token is good once. Sent again within ten seconds it gets the same successor; later its session ends.
    """
    grant = await _granted(form, accounts, origin)
    return Tokens(
        access_token=accounts.access_tokens.make(grant.account_id, grant.session_id, now),
        refresh_token=grant.refresh_token,
    )


async def _granted(form: TokenForm, accounts: Accounts, origin: Origin) -> Grant:
    if form.grant_type == "password":
        if not form.username or not form.password.get_secret_value():
            raise TokenRequestError("Send username and password as a form.", "invalid_request")
        return await accounts.logins.log_in(form.username, form.password, origin)
    if form.grant_type == "refresh_token":
        if not form.refresh_token.get_secret_value():
            raise TokenRequestError("Send refresh_token as a form.", "invalid_request")
        return await accounts.rotation.refresh(form.refresh_token.get_secret_value(), origin)
    error = "unsupported_grant_type" if form.grant_type else "invalid_request"
    raise TokenRequestError("Send a form whose grant_type is password or refresh_token.", error)
