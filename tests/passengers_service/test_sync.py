"""The other side, played by the test on a real RabbitMQ: what we tell it, and what we hear from it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import aio_pika
import httpx
import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from dev_stack.servers.postgres import Postgres
from dev_stack.servers.rabbitmq import RabbitNode
from passengers_service.config.rabbit import PASSENGERS_QUEUE, RESERVATIONS_QUEUE
from passengers_service.config.settings import PassengersSettings
from passengers_service.events import NODE, PASSENGER_CHANGED, SOURCE, PassengerChange, PassengerFields
from service_kit.clock import utc_now
from service_kit.messaging.broker import EVENTS_EXCHANGE
from service_kit.messaging.events import Event, decode_event, encode_event, new_event, read_data
from service_kit.rabbit.settlement import REASON_HEADER
from service_kit.replication.events import CopyRequested
from service_kit.replication.hybrid_clock import HybridClock, stamp_text
from service_kit.replication.rows import FieldChanges, RowsChanged
from tests.passengers_service.conftest import code_of, events_in, registered, replace, settings_for
from tests.support.rabbit_support import until

THEIRS = HybridClock(2, utc_now)


class OtherSide:
    """reservations_service, as far as the broker goes."""

    def __init__(self, channel: aio_pika.abc.AbstractChannel) -> None:
        self._channel = channel

    async def tells(self, event: Event, times: int = 1) -> None:
        exchange = await self._channel.get_exchange(EVENTS_EXCHANGE)
        for _ in range(times):
            await exchange.publish(aio_pika.Message(encode_event(event)), event.type)

    async def changes(self, passenger_id: str, fields: PassengerFields, times: int = 1) -> None:
        change: PassengerChange = FieldChanges(UUID(passenger_id), stamp_text(THEIRS.tick()), fields)
        await self.tells(_their(PASSENGER_CHANGED, RowsChanged([change])), times)

    async def loses_its_queue(self) -> None:
        await self._channel.queue_delete(RESERVATIONS_QUEUE.queue)

    async def finds_dead(self, reason: str) -> None:
        """Wait for a dead letter of that reason."""
        queue = await self._channel.get_queue(PASSENGERS_QUEUE.dead_queue)

        async def is_there() -> bool:
            message = await queue.get(no_ack=True, fail=False)
            return message is not None and reason in str(message.headers.get(REASON_HEADER))

        await until(is_there)

    async def hears(self) -> list[PassengerChange]:
        """The changes of the next event of ours, waited for; what it has told itself comes here too."""
        queue = await self._channel.get_queue(RESERVATIONS_QUEUE.queue, ensure=False)
        heard: list[Event] = []

        async def is_there() -> bool:
            if message := await queue.get(no_ack=True, fail=False):
                heard.append(decode_event(message.body))
            return bool(heard) and heard[-1].source == SOURCE

        await until(is_there)
        return read_data(heard[-1], RowsChanged[PassengerFields]).changes


def _their(event_type: str, data: RowsChanged[PassengerFields] | CopyRequested) -> Event:
    return new_event(event_type, "/reservations_service", data, at=utc_now())


@pytest.fixture
def settings(postgres: Postgres, rabbit: RabbitNode) -> PassengersSettings:
    return settings_for(postgres.url, rabbit.url)


@pytest.fixture
async def other_side(rabbit: RabbitNode, api: httpx.AsyncClient) -> AsyncIterator[OtherSide]:
    async def is_consuming() -> bool:
        return bool((await api.get("/health/ready")).json()["status"] == "ok")

    await until(is_consuming)
    async with await aio_pika.connect(rabbit.url) as connection:
        channel = await connection.channel()
        await (await channel.get_queue(RESERVATIONS_QUEUE.queue)).purge()
        yield OtherSide(channel)
        await (await channel.get_queue(PASSENGERS_QUEUE.queue)).purge()


async def test_tells_the_other_side_of_each_change(api: httpx.AsyncClient, other_side: OtherSide) -> None:
    passenger = await registered(api)
    [created] = await other_side.hears()
    await replace(api, passenger, email="eva@example.com")
    [changed] = await other_side.hears()

    assert (str(created.id), str(changed.id)) == (passenger["id"], passenger["id"])
    assert changed.fields == PassengerFields(email="eva@example.com")
    assert changed.stamp > created.stamp


async def test_tells_again_what_was_told_while_the_other_side_had_no_queue(
    api: httpx.AsyncClient, other_side: OtherSide, database: AsyncEngine
) -> None:
    await other_side.loses_its_queue()
    passenger = await registered(api)

    async def is_delivered() -> bool:
        return await events_in(database) == []

    await until(is_delivered)
    [created] = await other_side.hears()
    assert str(created.id) == passenger["id"]


async def test_takes_over_what_the_other_side_has_changed_and_tells_nobody(
    api: httpx.AsyncClient, other_side: OtherSide, database: AsyncEngine
) -> None:
    passenger = await registered(api)
    await other_side.hears()
    path, tag = f"/passengers/{passenger['id']}", (await api.get("/passengers")).headers["etag"]

    await other_side.changes(passenger["id"], PassengerFields(first_name="Eva", phone=None), times=3)

    async def has_changed() -> bool:
        return bool((await api.get(path)).json()["first_name"] == "Eva")

    await until(has_changed)
    read = await api.get(path)
    assert (read.json()["phone"], read.json()["last_name"], read.headers["etag"]) == (None, "Peña Ruiz", '"2"')
    assert read.json()["updated_at"] > passenger["updated_at"]
    assert (await api.get("/passengers", headers={"If-None-Match": tag})).status_code == 200
    assert await events_in(database) == []


async def test_applies_the_rest_of_an_event_of_which_one_change_takes_a_document_that_is_taken(
    api: httpx.AsyncClient, other_side: OtherSide
) -> None:
    one, two = await registered(api), await registered(api, document_number="TAKEN")
    stamp = stamp_text(HybridClock(NODE, utc_now).tick() + (1 << 21))
    thief = FieldChanges(UUID(one["id"]), stamp, PassengerFields(document_number="TAKEN"))
    honest = FieldChanges(UUID(two["id"]), stamp, PassengerFields(first_name="Eva"))

    await other_side.tells(_their(PASSENGER_CHANGED, RowsChanged([thief, honest])))

    async def has_changed() -> bool:
        return bool((await api.get(f"/passengers/{two['id']}")).json()["first_name"] == "Eva")

    await until(has_changed)
    assert (await api.get(f"/passengers/{one['id']}")).json()["document_number"] == one["document_number"]
    await other_side.finds_dead("1 of 2 changes are refused")


async def test_answers_503_to_who_edits_what_a_clock_far_ahead_has_stamped(
    api: httpx.AsyncClient, database: AsyncEngine
) -> None:
    passenger, other = await registered(api), await registered(api, document_number="OTHER")
    far = HybridClock(NODE, lambda: utc_now() + timedelta(days=800)).tick()
    async with database.begin() as connection:
        await connection.execute(
            text("UPDATE passengers SET stamps[3] = :far WHERE id = :id"), {"far": far, "id": passenger["id"]}
        )

    answer = await replace(api, passenger, first_name="Eva")

    assert (answer.status_code, code_of(answer)) == (503, "stamp-too-far-ahead")
    assert "heal" in answer.json()["detail"]
    assert (await replace(api, other, first_name="Eva")).status_code == 200


async def test_an_edit_that_was_overtaken_by_a_deletion_revives_nobody(
    api: httpx.AsyncClient, other_side: OtherSide
) -> None:
    passenger = await registered(api)
    await api.delete(f"/passengers/{passenger['id']}")

    await other_side.changes(passenger["id"], PassengerFields(first_name="Eva"))
    await other_side.changes(passenger["id"], PassengerFields(deleted_at=datetime(2026, 1, 1, tzinfo=UTC)))
    marker = await registered(api, document_number="MARKER")
    await other_side.changes(marker["id"], PassengerFields(first_name="Heard"))

    async def has_heard() -> bool:
        return bool((await api.get(f"/passengers/{marker['id']}")).json()["first_name"] == "Heard")

    await until(has_heard)
    assert code_of(await api.get(f"/passengers/{passenger['id']}")) == "passenger-deleted"


async def test_tells_all_to_a_side_that_has_lost_its_copy(api: httpx.AsyncClient, other_side: OtherSide) -> None:
    passenger = await registered(api)
    await other_side.hears()

    await other_side.tells(_their("passenger.copy_requested", CopyRequested()))

    [told] = await other_side.hears()
    assert str(told.id) == passenger["id"]
    assert msgspec.UNSET not in msgspec.structs.astuple(told.fields)


async def test_digests_what_it_holds_deleted_ones_too(api: httpx.AsyncClient, database: AsyncEngine) -> None:
    empty = (await api.get("/sync/digest")).json()
    passenger = await registered(api)
    one = (await api.get("/sync/digest")).json()
    await api.delete(f"/passengers/{passenger['id']}")
    deleted = (await api.get("/sync/digest")).json()
    async with database.begin() as connection:
        await connection.execute(text("UPDATE passengers SET version = 9, updated_at = now()"))
    same = (await api.get("/sync/digest")).json()

    assert [digest["count"] for digest in (empty, one, deleted)] == [0, 1, 1]
    assert len({digest["digest"] for digest in (empty, one, deleted)}) == 3
    assert same == deleted
