"""What a received change has to obey."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from pydantic import BaseModel

from service_kit.fields.rules import FieldRules
from service_kit.replication.rows import FieldChanges
from service_kit.replication.rules import ChangeRules
from tests.support.stamped_notes import NoteFields, change

OWNER, OTHER = 1, 2


class Note(BaseModel):
    body: str | None = None


RULES = ChangeRules(
    fields=FieldRules(Note),
    owner=OWNER,
    owned=frozenset({"title", "due_on"}),
    ownership="only the owner gives titles and dates",
    created="title",
)


def changed(node: int, **fields: object) -> FieldChanges[NoteFields]:
    return change(uuid4(), 1 << 40 | node, **fields)


@pytest.mark.parametrize("node", [OWNER, OTHER])
def test_both_sides_change_what_nobody_owns(node: int) -> None:
    assert RULES.broken_by(changed(node, body="new", deleted_at=datetime(2026, 1, 1, tzinfo=UTC))) is None


@pytest.mark.parametrize(
    "fields", [{"title": "new"}, {"due_on": date(2026, 1, 1)}, {"title": "new", "body": "new", "deleted_at": None}]
)
def test_only_the_owner_changes_what_it_owns(fields: dict[str, object]) -> None:
    assert RULES.broken_by(changed(OTHER, **fields)) == "only the owner gives titles and dates"
    assert RULES.broken_by(changed(OWNER, **fields)) is None


def test_nobody_takes_a_deletion_back() -> None:
    assert RULES.broken_by(changed(OWNER, deleted_at=None)) == "a deletion is for good"


def test_fields_obey_the_rules_of_the_api() -> None:
    assert RULES.broken_by(changed(OTHER, body=7)) == "body: Input should be a valid string"
