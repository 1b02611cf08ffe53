"""The columns that a replicated table has beside its fields."""

from collections.abc import Sequence
from types import NoneType
from typing import get_args, get_type_hints

import msgspec
from sqlalchemy import ARRAY, BigInteger, Boolean, CheckConstraint, Column, Computed
from sqlalchemy.schema import SchemaItem


def stamped_columns(fields: type[msgspec.Struct]) -> Sequence[SchemaItem]:
    """What a table needs beside `id` and the fields: `stamps`, `is_complete`, and their checks.

    A row is incomplete when an edit has come before its creation: so the column of each field must be nullable. A
    complete row has all fields whose type has no None.
    """
    names = fields.__struct_fields__
    hints = get_type_hints(fields)
    required = ", ".join(name for name in names if NoneType not in get_args(hints[name]))
    whole = f"cardinality(stamps) = {len(names)} AND array_position(stamps, NULL) IS NULL"
    return (
        Column("stamps", ARRAY(BigInteger), nullable=False),
        Column("is_complete", Boolean, Computed("0 <> ALL (stamps)", persisted=True), nullable=False),
        CheckConstraint(whole, name="stamps_are_whole"),
        CheckConstraint(f"NOT is_complete OR num_nulls({required}) = 0", name="complete_has_required"),
    )
