from datetime import UTC, date, datetime
from uuid import UUID

import msgspec

from passengers_service.events import EVENTS, PASSENGER_CHANGED, SOURCE, PassengerFields
from service_kit.messaging.events import decode_event, encode_event
from service_kit.replication.rows import FieldChanges
from tests.passengers_service.conftest import NOBODY

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_tells_only_the_fields_that_changed() -> None:
    change = FieldChanges(UUID(NOBODY), "0123456789abcdef", PassengerFields(email=None, birth_date=date(1990, 5, 17)))

    event = decode_event(encode_event(EVENTS.rows_changed([change], at=NOW)))

    assert (event.type, event.source, event.time) == (PASSENGER_CHANGED, SOURCE, NOW)
    assert msgspec.json.decode(event.data) == {
        "changes": [{"id": NOBODY, "stamp": "0123456789abcdef", "fields": {"email": None, "birth_date": "1990-05-17"}}]
    }
