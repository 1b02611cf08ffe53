"""The API: things of owners, as a service with accounts writes its routes."""

from uuid import UUID, uuid4

from fastapi import APIRouter, FastAPI
from sqlalchemy import insert, select, true

from service_kit.accounts.assembly import Accounts
from service_kit.accounts.caller import Caller
from service_kit.accounts.guard import ACCOUNT_GUARD, CallerDep
from service_kit.accounts.guessing import GuessLimits
from service_kit.accounts.routes import accounts, own, tokens
from service_kit.accounts.settings import JwtSettings
from service_kit.api.app import create_app
from service_kit.api.dependencies import NowDep
from service_kit.api.guards import Guarded
from service_kit.postgres.dependencies import SessionDep, TransactionRoute
from service_kit.postgres.store import PostgresStore
from service_kit.problems import ServiceError
from service_kit.settings.process import ApiSettings
from service_kit.settings.stores import PostgresSettings
from tests.support.things.policy import POLICY
from tests.support.things.tables import SCHEMA, THINGS

ALL_GUESSES = GuessLimits()

router = APIRouter(prefix="/things", tags=["things"], route_class=TransactionRoute)
no_store = APIRouter()


class ThingsSettings(ApiSettings, PostgresSettings, JwtSettings):
    """Settings of the service."""

    service = "things_service"


class ThingNotFoundError(ServiceError):
    """There is no such thing."""

    status = 404
    code = "thing-not-found"


def seen_by(caller: Caller):  # type: ignore[no-untyped-def]  # noqa: ANN201 - a condition
    return THINGS.c.owner_id == caller.only_subject if caller.only_subject else true()


@router.get("")
async def list_things(session: SessionDep, caller: CallerDep) -> list[UUID]:
    return list(await session.scalars(select(THINGS.c.id).where(seen_by(caller))))


@router.get("/{thing_id:uuid}")
async def read_thing(thing_id: UUID, session: SessionDep, caller: CallerDep) -> UUID:
    found: UUID | None = await session.scalar(select(THINGS.c.id).where(THINGS.c.id == thing_id, seen_by(caller)))
    if found is None:
        raise ThingNotFoundError("There is no such thing.")
    return found


@router.post("", status_code=201)
async def add_thing(owner_id: UUID, session: SessionDep) -> UUID:
    thing_id = uuid4()
    await session.execute(insert(THINGS).values(id=thing_id, owner_id=owner_id))
    return thing_id


@no_store.get("/now")
async def read_now(now: NowDep) -> str:
    return now.isoformat()


def build(settings: ThingsSettings, guess_limits: GuessLimits = ALL_GUESSES) -> FastAPI:
    """The API on the servers that `settings` name."""
    store = PostgresStore(settings, SCHEMA)
    return create_app(
        settings,
        description="Things.",
        guard=ACCOUNT_GUARD,
        routers=[Guarded(tokens.router, None), own.router, accounts.router, router, no_store],
        resources=[store, Accounts(POLICY, settings, store, settings.service, guess_limits=guess_limits)],
    )
