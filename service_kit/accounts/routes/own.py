"""`/auth/…`: the account and the sessions of one's own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from service_kit.accounts.errors import SessionNotFoundError, TooManyAttemptsError, WrongPasswordError
from service_kit.accounts.guard import AccountsDep, CallerDep, OriginDep
from service_kit.accounts.models import AccountView, Me, PasswordChange, SessionList, SessionView
from service_kit.accounts.passwords import TooManyPasswordsError
from service_kit.problems import problems

router = APIRouter(prefix="/auth", tags=["auth"])


@router.post("/logout", status_code=204, summary="Log out")
async def log_out(
    accounts: AccountsDep,
    caller: CallerDep,
    origin: OriginDep,
    *,
    everywhere: Annotated[bool, Query(description="Whether all your sessions end.")] = False,
) -> None:
    """End this session: both of its tokens are worth nothing from now on."""
    await accounts.own.log_out(caller, origin, everywhere=everywhere)


@router.get("/me", summary="Read your account")
async def read_me(accounts: AccountsDep, caller: CallerDep) -> Me:
    """Your account, and what its role may do."""
    return Me(
        account=AccountView.model_validate(await accounts.own.read(caller)),
        session_id=caller.session_id,
        permissions=accounts.policy.permissions.granted_to(caller.role),
    )


@router.put(
    "/password",
    status_code=204,
    summary="Change your password",
    responses=problems(WrongPasswordError, TooManyAttemptsError, TooManyPasswordsError),
)
async def change_password(change: PasswordChange, accounts: AccountsDep, caller: CallerDep, origin: OriginDep) -> None:
    """Change your password; all your sessions but this one end."""
    await accounts.own.change_password(caller, change.old_password, change.new_password, origin)


@router.get("/sessions", summary="List your sessions")
async def list_sessions(accounts: AccountsDep, caller: CallerDep) -> SessionList:
    """Your living sessions, the newest first; at most 20."""
    rows = await accounts.own.sessions(caller)
    return SessionList(
        items=[
            SessionView(
                id=row.id,
                kind=row.kind,
                created_at=row.created_at,
                last_used_at=row.last_used_at,
                ends_at=min(row.idle_ends_at, row.ends_at),
                address=row.address and str(row.address),
                agent=row.agent,
                is_current=row.id == caller.session_id,
            )
            for row in rows
        ]
    )


@router.delete(
    "/sessions/{session_id:uuid}",
    status_code=204,
    summary="End one of your sessions",
    responses=problems(SessionNotFoundError),
)
async def end_session(
    session_id: Annotated[UUID, Path(description="As `GET /auth/sessions` lists it.")],
    accounts: AccountsDep,
    caller: CallerDep,
    origin: OriginDep,
) -> None:
    """End a session, of a device that you have lost, say."""
    await accounts.own.end_session(caller, session_id, origin)
