"""Tables of which nobody changes or removes a row: a trigger refuses `UPDATE`, `DELETE` and `TRUNCATE`.

The owner of a table can drop its trigger, so this keeps honest code honest; what proves more is a chain of hashes.
"""

from collections.abc import Sequence

from sqlalchemy import DDL, Table, event


def append_only_statements(table: str) -> Sequence[str]:
    """What makes a table append-only: for the revision that makes it, one `op.execute` each."""
    function = f"{table}_refuse_change()"
    refusal = f"RAISE EXCEPTION 'rows of {table} are never changed' USING ERRCODE = 'restrict_violation'"
    events = f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT"
    return (
        f"CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refusal}; END $$",
        f"CREATE TRIGGER {table}_append_only {events} EXECUTE FUNCTION {function}",
    )


def no_longer_append_only_statements(table: str) -> Sequence[str]:
    """The way back, for the revision's `downgrade`, after the table is dropped."""
    return (f"DROP FUNCTION {table}_refuse_change()",)


def append_only(table: Table) -> Table:
    """The table, with the trigger wherever it is made from the code: so `schema_drift` finds a database without."""
    for statement in append_only_statements(table.name):
        event.listen(table, "after_create", DDL(statement))  # type: ignore[no-untyped-call]  # SQLAlchemy's
    return table
