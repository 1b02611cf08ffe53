"""Both services without their processes, and the messages between them, carried by hand."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

import passengers_service.events
import passengers_service.services.replica
import reservations_service.events
import reservations_service.services.replica
from dev_stack.servers.postgres import Postgres
from passengers_service.models.passenger import NewPassenger
from passengers_service.models.passenger import PassengerEdit as OwnersEdit
from passengers_service.services.passengers import Passengers
from reservations_service.models.passenger import PassengerEdit as CopysEdit
from reservations_service.services.passenger_edits import PassengerEditor
from service_kit.messaging.events import Event, decode_event
from service_kit.postgres.migrations import Schema
from service_kit.postgres.store import PostgresStore
from service_kit.problems import ServiceError
from service_kit.replication.digest import copy_digest
from service_kit.replication.hybrid_clock import HybridClock
from service_kit.replication.replicator import Replicator
from service_kit.replication.table import ReplicatedTable
from service_kit.settings.stores import PostgresSettings
from service_kit.testing.fakes import FakeClock

NOON: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
PEOPLE: Final = [UUID(f"019a9f3e-6c00-7a1b-8c2d-00000000000{number}") for number in range(3)]


@dataclass
class Side:
    """One service, without its process."""

    store: PostgresStore
    copy: ReplicatedTable[Any]
    wall: FakeClock
    node: int
    told: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = HybridClock(self.node, self.wall)
        self.sync = Replicator(self.copy, self.store, self.clock, self.wall)
        self._hear = self.sync.handlers

    async def hear(self, event: Event) -> None:
        await self._hear(event)
        assert await self._take() == [], "what is heard is never told again"

    async def collect(self) -> None:
        """Keep what the outbox holds, as the broker would get it."""
        self.told += await self._take()

    async def _take(self) -> list[Event]:
        outbox = self.copy.outbox
        async with self.store.transaction() as session:
            bodies = await session.scalars(select(outbox.c.body).order_by(outbox.c.position))
            events = [decode_event(body) for body in bodies]
            await session.execute(delete(outbox))
        return events

    async def contents(self) -> list[tuple[Any, ...]]:
        rows, names = self.copy.rows.c, self.copy.fields.__struct_fields__
        query = select(rows.id, *(rows[name] for name in names), rows.stamps).order_by(rows.id)
        async with self.store.transaction() as session:
            return [tuple(row) for row in await session.execute(query)]

    async def digest(self) -> object:
        async with self.store.transaction() as session:
            return await copy_digest(session, self.copy.rows)

    async def clear(self) -> None:
        names = ", ".join(self.copy.rows.metadata.tables)
        async with self.store.engine.begin() as connection:
            await connection.execute(text(f"TRUNCATE {names}"))


async def edited_by_owner(session: AsyncSession, side: Side, who: UUID, changes: dict[str, object]) -> None:
    passengers = Passengers(session, side.clock)
    kept = OwnersEdit.model_validate((await passengers.read(who)).view.model_dump(include=set(OwnersEdit.model_fields)))
    await passengers.replace(who, kept.model_copy(update=changes), accepted=None, now=side.wall())


async def edited_in_copy(session: AsyncSession, side: Side, who: UUID, changes: dict[str, object]) -> None:
    rows = side.copy.rows.c
    kept = (
        await session.execute(select(*(rows[name] for name in CopysEdit.model_fields)).where(rows.id == who))
    ).one_or_none()
    if kept is not None and kept.birth_date is not None:
        edit = CopysEdit.model_construct(**{**kept._asdict(), **changes})
        await PassengerEditor(session, side.clock).edit(who, edit, accepted=None, now=side.wall())


async def registered(session: AsyncSession, side: Side, who: UUID) -> None:
    sent = {
        "id": who,
        "document_type": "passport",
        "document_number": f"P{who.int % 10}",
        "first_name": "Ana",
        "last_name": "Peña",
        "birth_date": "1990-05-17",
        "nationality": "ES",
    }
    await Passengers(session, side.clock).register(NewPassenger.model_validate(sent), now=side.wall())


async def deleted(session: AsyncSession, side: Side, who: UUID) -> None:
    await Passengers(session, side.clock).delete(who, accepted=None, now=side.wall())


class World:
    """Both sides, and the messages between them."""

    def __init__(self, owner: Side, copy: Side, chance: Random) -> None:
        self.owner, self.copy = owner, copy
        self._chance = chance

    async def do(self, step: tuple[Any, ...]) -> None:
        kind, *arguments = step
        if kind == "wait":
            for side in (self.owner, self.copy):
                side.wall.advance(timedelta(milliseconds=arguments[0]))
        elif kind == "deliver":
            await self._deliver(to_copy=arguments[0])
        else:
            await self._edit(kind, arguments)

    async def _edit(self, kind: str, arguments: list[Any]) -> None:
        side, act = {
            "register": (self.owner, registered),
            "delete": (self.owner, deleted),
            "owner edits": (self.owner, edited_by_owner),
            "copy edits": (self.copy, edited_in_copy),
        }[kind]
        try:
            async with side.store.transaction() as session:
                await act(session, side, *arguments)  # type: ignore[operator]  # each takes what its step has
        except ServiceError:
            return  # refused: nobody of that id there, or not any more
        await side.collect()

    async def _deliver(self, *, to_copy: bool) -> None:
        """Some of all that was ever told, in any order: some of it again, some of it not yet."""
        teller, hearer = (self.owner, self.copy) if to_copy else (self.copy, self.owner)
        for event in self._chance.sample(teller.told, self._chance.randint(0, len(teller.told))):
            await hearer.hear(event)

    async def settle(self) -> None:
        """All of it at last; and then once more, as if no inbox remembered it."""
        for teller, hearer in ((self.owner, self.copy), (self.copy, self.owner)):
            again = [msgspec.structs.replace(event, id=str(uuid4())) for event in teller.told]
            for event in self._chance.sample(teller.told, len(teller.told)) + again[::-1]:
                await hearer.hear(event)


async def prepared(postgres: Postgres, name: str, schema: Schema) -> PostgresStore:
    settings = PostgresSettings.model_validate({"database_url": postgres.url, "database_name": name})
    store = PostgresStore(settings, schema)
    await store.prepare()
    return store


async def new_world(stores: tuple[PostgresStore, PostgresStore], apart: timedelta, chance: Random) -> World:
    owners, copys = passengers_service.services.replica, reservations_service.services.replica
    owner = Side(stores[0], owners.PASSENGER_REPLICA, FakeClock(NOON), passengers_service.events.NODE)
    copy = Side(stores[1], copys.PASSENGER_REPLICA, FakeClock(NOON + apart), reservations_service.events.NODE)
    await owner.clear()
    await copy.clear()
    return World(owner, copy, chance)
