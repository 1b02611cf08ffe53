"""The rules that a received change has to obey: whoever may publish at the broker could send anything."""

from dataclasses import dataclass
from typing import Any

from service_kit.fields.rules import FieldRules
from service_kit.replication.hybrid_clock import node_of, stamp_in
from service_kit.replication.rows import FieldChanges


@dataclass(frozen=True, kw_only=True)
class ChangeRules:
    """The rules for the changes of one replicated table.

    Attributes:
        fields: Those of the API.
        owner: The node of the side that alone changes some fields.
        owned: These fields.
        ownership: The same in a sentence, for the dead letter of a change that breaks it.
        created: The field that only a creation sets.
        deleted: The field that a deletion sets, and that nobody takes away again.
    """

    fields: FieldRules
    owner: int
    owned: frozenset[str]
    ownership: str
    created: str = "created_at"
    deleted: str = "deleted_at"

    def broken_by(self, change: FieldChanges[Any]) -> str | None:
        """Which rule a change breaks, in a sentence without anybody's data; None if it breaks none."""
        given = change.given()
        if node_of(stamp_in(change.stamp)) != self.owner and not self.owned.isdisjoint(given):
            return self.ownership
        if self.deleted in given and given[self.deleted] is None and self.created not in given:
            return "a deletion is for good"
        return self.fields.broken_by(given)
