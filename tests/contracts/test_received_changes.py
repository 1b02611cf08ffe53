"""What a change of a passenger has to obey, on whichever side it is received."""

from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import uuid4

import pytest

import passengers_service.events
import reservations_service.events
from passengers_service.services.replica import PASSENGER_REPLICA as OWNER
from reservations_service.services.replica import PASSENGER_REPLICA as COPY
from service_kit.clock import utc_now
from service_kit.replication.hybrid_clock import HybridClock, stamp_text
from service_kit.replication.rows import FieldChanges
from service_kit.replication.table import ReplicatedTable

Receiver = ReplicatedTable[Any]
BOTH: Final = pytest.mark.parametrize("receiver", [OWNER, COPY], ids=["passengers", "reservations"])

ANA: Final[dict[str, Any]] = {
    "document_type": "passport",
    "document_number": "PAB123456",
    "first_name": "Ana María",
    "last_name": "Peña Ruiz",
    "email": "ana@example.com",
    "phone": None,
    "birth_date": date(1990, 5, 17),
    "nationality": "ES",
    "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    "deleted_at": None,
}


def broken(receiver: Receiver, node: int, **fields: object) -> str | None:
    stamp = stamp_text(HybridClock(node, utc_now).tick())
    return receiver.rules.broken_by(FieldChanges(uuid4(), stamp, receiver.fields(**fields)))


@BOTH
@pytest.mark.parametrize(
    "fields", [ANA, {"email": None}, {"first_name": "Eva"}, {"deleted_at": datetime(2026, 1, 1, tzinfo=UTC)}]
)
def test_takes_what_passengers_service_publishes(receiver: Receiver, fields: dict[str, Any]) -> None:
    assert broken(receiver, passengers_service.events.NODE, **fields) is None


@BOTH
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"first_name": "\n"}, "first_name: Write at least one visible character"),
        ({"last_name": " Ana "}, "last_name: it is not spelled as it would be kept"),
        ({"email": "nobody"}, "email: Write an address that mail can reach"),
        ({"phone": "600"}, "phone: Write + and the country's code"),
        ({"birth_date": date(2999, 1, 1)}, "birth_date: Write a day"),
        ({"nationality": "Spain"}, "nationality: A country is two capital letters"),
    ],
)
def test_names_the_rule_of_the_api_that_is_broken(receiver: Receiver, fields: dict[str, Any], sentence: str) -> None:
    assert (broken(receiver, reservations_service.events.NODE, **fields) or "").startswith(sentence)


@BOTH
@pytest.mark.parametrize("fields", [{"document_number": "X1"}, {"deleted_at": utc_now()}, ANA])
def test_lets_nobody_else_register_delete_or_change_a_document(receiver: Receiver, fields: dict[str, Any]) -> None:
    assert (
        broken(receiver, reservations_service.events.NODE, **fields)
        == "only passengers_service registers, deletes and changes documents"
    )


@BOTH
def test_lets_nobody_take_a_deletion_back(receiver: Receiver) -> None:
    assert broken(receiver, passengers_service.events.NODE, deleted_at=None) == "a deletion is for good"
