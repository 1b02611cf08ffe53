"""Where a database differs from its tables in code: columns, defaults, constraints, index predicates and triggers.

Alembic's own comparison passes over CHECK constraints, predicates, triggers and generated columns. Here the tables are
made once more, in a schema of their own that is rolled back, and PostgreSQL describes both.
"""

from typing import Final

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine

_SCRATCH: Final = "drift_scratch"
_NOT_OURS: Final = "alembic_version"

_DESCRIPTION: Final = text("""
    SELECT format('column %s.%s %s%s%s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull THEN ' NOT NULL' END, ' IDENTITY ' || nullif(a.attidentity::text, ''),
        ' GENERATED ' || nullif(a.attgenerated::text, ''), ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid))
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (c.oid, a.attnum)
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = to_regnamespace(:schema) AND c.relname <> :not_ours
    UNION ALL
    SELECT format('constraint %s.%s %s', c.relname, o.conname, pg_get_constraintdef(o.oid))
    FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
    WHERE o.contype <> 'n' AND c.relnamespace = to_regnamespace(:schema) AND c.relname <> :not_ours
    UNION ALL
    SELECT format('index %s', replace(pg_get_indexdef(i.indexrelid), :schema || '.', ''))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = to_regnamespace(:schema) AND c.relname <> :not_ours
    UNION ALL
    SELECT replace(format('trigger %s %s', pg_get_triggerdef(t.oid), p.prosrc), :schema || '.', '')
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND c.relnamespace = to_regnamespace(:schema)
""")


async def drift(engine: AsyncEngine, metadata: MetaData) -> list[str]:
    """A line for each difference; none when the database is as the code says. Changes nothing."""
    async with engine.connect() as connection:
        return await connection.run_sync(_drift, metadata)


def _drift(connection: Connection, metadata: MetaData) -> list[str]:
    stored = _described(connection, "public")
    connection.execute(text(f"CREATE SCHEMA {_SCRATCH}"))
    connection.execute(text(f"SET LOCAL search_path TO {_SCRATCH}"))
    metadata.create_all(connection, checkfirst=False)
    wanted = _described(connection, _SCRATCH)
    connection.rollback()
    return [
        *(f"only in the database: {line}" for line in sorted(stored - wanted)),
        *(f"only in the code: {line}" for line in sorted(wanted - stored)),
    ]


def _described(connection: Connection, schema: str) -> set[str]:
    connection.execute(text(f"SET LOCAL search_path TO {schema}"))
    return set(connection.scalars(_DESCRIPTION, {"schema": schema, "not_ours": _NOT_OURS}))
