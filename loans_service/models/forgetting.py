"""The trigger of `client_history`: as `append_only` of the kit, but the values of a deleted client may go."""

from typing import Final

from sqlalchemy import DDL, Table, event

_REFUSAL: Final = "RAISE EXCEPTION 'rows of client_history are never changed' USING ERRCODE = 'restrict_violation'"

STATEMENTS: Final = (
    f"""
    CREATE FUNCTION client_history_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND NEW.changes IS NULL AND to_jsonb(NEW) - 'changes' = to_jsonb(OLD) - 'changes'
            AND NOT EXISTS (SELECT FROM clients WHERE id = OLD.subject_id)
        THEN
            RETURN NEW;
        END IF;
        {_REFUSAL};
    END $$
    """,
    (
        "CREATE TRIGGER client_history_append_only BEFORE UPDATE OR DELETE ON client_history "
        "FOR EACH ROW EXECUTE FUNCTION client_history_refuse_change()"
    ),
    f"CREATE FUNCTION client_history_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_REFUSAL}; END $$",
    (
        "CREATE TRIGGER client_history_never_empty BEFORE TRUNCATE ON client_history "
        "EXECUTE FUNCTION client_history_refuse_truncate()"
    ),
)
"""For the revision that makes the table, one `op.execute` each."""

UNDOING: Final = (
    "DROP FUNCTION client_history_refuse_change()",
    "DROP FUNCTION client_history_refuse_truncate()",
)
"""For its `downgrade`, after the table is dropped."""


def forgetting(table: Table) -> Table:
    """The table, with the triggers wherever it is made from the code."""
    for statement in STATEMENTS:
        event.listen(table, "after_create", DDL(statement))  # type: ignore[no-untyped-call]  # SQLAlchemy's
    return table
