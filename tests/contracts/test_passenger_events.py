"""passengers_service and reservations_service speak the same words of passengers, each in classes of its own."""

import re
from datetime import UTC, date, datetime
from typing import Any, Final, cast
from uuid import UUID

import msgspec
import pytest

import passengers_service.config.rabbit
import passengers_service.events
import passengers_service.models.tables
import reservations_service.config.rabbit
import reservations_service.events
import reservations_service.models.tables
from passengers_service.services.replica import PASSENGER_REPLICA as OWNER
from reservations_service.services.replica import PASSENGER_REPLICA as COPY
from service_kit.messaging.events import Event, decode_event, encode_event, read_data
from service_kit.replication.hybrid_clock import HybridClock, stamp_text
from service_kit.replication.rows import FieldChanges, RowsChanged
from service_kit.replication.table import ReplicatedTable

NOW: Final = datetime(2026, 11, 20, 10, 0, 0, 123_000, UTC)
PASSENGER_ID: Final = UUID("019a9f3e-6c00-7a1b-8c2d-3e4f5a6b7c8d")
STAMP: Final = stamp_text(HybridClock(1, lambda: NOW).tick())
WHOLE: Final[dict[str, Any]] = {
    "document_type": "passport",
    "document_number": "PAB123456",
    "first_name": "Ana María",
    "last_name": "Peña Ruiz",
    "email": None,
    "phone": "+34600123456",
    "birth_date": date(1990, 5, 17),
    "nationality": "ES",
    "created_at": NOW,
    "deleted_at": None,
}
Side = ReplicatedTable[Any]
BOTH_WAYS: Final = pytest.mark.parametrize(("teller", "hearer"), [(OWNER, COPY), (COPY, OWNER)], ids=["there", "back"])


def stated(teller: Side, **fields: object) -> Event:
    """What one side publishes, as it leaves the broker."""
    event = teller.events.rows_changed([FieldChanges(PASSENGER_ID, STAMP, teller.fields(**fields))], at=NOW)
    return decode_event(encode_event(event))


def heard(hearer: Side, event: Event) -> Any:  # noqa: ANN401 - of the hearer's own class
    told = cast("Any", RowsChanged)[hearer.fields]
    [change] = read_data(event, told).changes
    return change


@BOTH_WAYS
def test_a_whole_passenger_arrives_as_it_was_told(teller: Side, hearer: Side) -> None:
    change = heard(hearer, stated(teller, **WHOLE))

    assert (change.id, change.stamp, msgspec.structs.asdict(change.fields)) == (PASSENGER_ID, STAMP, WHOLE)
    assert isinstance(change.fields, hearer.fields)


@BOTH_WAYS
@pytest.mark.parametrize("name", WHOLE)
def test_a_single_field_arrives_alone(teller: Side, hearer: Side, name: str) -> None:
    fields = heard(hearer, stated(teller, **{name: WHOLE[name]})).fields

    told = {field: value for field, value in msgspec.structs.asdict(fields).items() if value is not msgspec.UNSET}
    assert told == {name: WHOLE[name]}


@BOTH_WAYS
def test_a_deletion_arrives(teller: Side, hearer: Side) -> None:
    assert heard(hearer, stated(teller, deleted_at=NOW)).fields.deleted_at == NOW


@BOTH_WAYS
def test_a_field_that_only_the_other_side_has_is_passed_over(teller: Side, hearer: Side) -> None:
    event = stated(teller, **WHOLE)
    data = msgspec.json.decode(event.data)
    data["changes"][0]["fields"]["loyalty_number"] = "IB1"
    data["more"] = True

    newer = msgspec.structs.replace(event, data=msgspec.Raw(msgspec.json.encode(data)))

    assert heard(hearer, newer) == heard(hearer, event)


@BOTH_WAYS
def test_each_can_tell_the_events_of_the_other_from_its_own(teller: Side, hearer: Side) -> None:
    event = stated(teller, **WHOLE)

    assert (event.type, event.source) == (hearer.events.changed, teller.events.source)
    assert teller.events.source != hearer.events.source
    assert teller.events.copy_request(at=NOW).type == hearer.events.copy_requested


def test_both_stamp_the_same_fields_in_the_same_order() -> None:
    assert OWNER.fields.__struct_fields__ == COPY.fields.__struct_fields__ == tuple(WHOLE)


def test_both_can_keep_the_same_values() -> None:
    def kept(copy: Side) -> dict[str, str]:
        return {name: str(copy.rows.c[name].type) for name in ("id", *WHOLE, "stamps")}

    assert kept(OWNER) == kept(COPY)
    assert (
        msgspec.json.schema(OWNER.fields)["$defs"]["PassengerFields"]["properties"]
        == (msgspec.json.schema(COPY.fields)["$defs"]["PassengerFields"]["properties"])
    )


def test_no_stamp_of_one_side_is_one_of_the_other() -> None:
    assert len({passengers_service.events.NODE, reservations_service.events.NODE}) == 2


@pytest.mark.parametrize("name", ["PASSENGERS_QUEUE", "RESERVATIONS_QUEUE"])
def test_both_declare_both_queues_alike(name: str) -> None:
    queue = getattr(passengers_service.config.rabbit, name)

    assert queue == getattr(reservations_service.config.rabbit, name)
    assert queue.queue == name.lower()


@BOTH_WAYS
def test_the_queues_take_every_event(teller: Side, hearer: Side) -> None:
    topics = reservations_service.config.rabbit.RESERVATIONS_QUEUE.topics
    patterns = [topic.replace(".", r"\.").replace("*", r"[^.]+") for topic in topics]

    for event_type in (teller.events.changed, hearer.events.copy_requested):
        assert any(re.fullmatch(pattern, event_type) for pattern in patterns)
