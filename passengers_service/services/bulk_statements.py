"""The statements of a load: from a temporary table of its rows into the passengers, whole sets at a time.

Both statements that change passengers answer the events' data, made by PostgreSQL: an array of entries for each 500
passengers. So the rows of a load pass through Python once, on their way in.
"""

from typing import Final

from sqlalchemy import Boolean, Column, Date, Integer, MetaData, Table, Text, Uuid, text

from passengers_service.events import PassengerFields
from passengers_service.models.passenger import PassengerEdit
from passengers_service.models.tables import LISTED

EVENT_PASSENGERS: Final = 500

STAGED: Final = Table(
    "staged",
    MetaData(),
    Column("row", Integer),
    Column("id", Uuid),
    Column("has_own_id", Boolean),
    *(Column(name, Date if name == "birth_date" else Text) for name in PassengerEdit.model_fields),
    Column("known_id", Uuid),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
"""The rows of one load; gone with its transaction. `known_id` is that of the passenger who has the row's document."""

_FIELDS: Final = PassengerFields.__struct_fields__
_SENT: Final = tuple(PassengerEdit.model_fields)
_EDITED: Final = tuple(name for name in _SENT if name not in {"document_type", "document_number"})
_PLACES: Final = {name: _FIELDS.index(name) + 1 for name in _FIELDS}

_SAME_DOCUMENT: Final = (
    "(p.document_number, p.document_type) = (staged.document_number, staged.document_type) "
    f"AND p.{LISTED.replace(' AND ', ' AND p.')}"
)
_IN_STEP: Final = "staged.row BETWEEN :first AND :last"


def _list(template: str, names: tuple[str, ...], *, between: str = ", ") -> str:
    return between.join(template.format(name=name, place=_PLACES[name]) for name in names)


def _entries(source: str) -> str:
    """The data of events of the rows of a CTE: in each row, the fields that have just got the load's stamp."""
    name_and_value = """'"{name}":' || coalesce(to_json({name})::text, 'null')"""
    fields = _list(f"CASE WHEN stamps[{{place}}] = :stamp THEN {name_and_value} END", _FIELDS)
    told = f"id, CAST(:stamp_text AS text), concat_ws(',', {fields})"
    entry = f"""format('{{"id":"%s","stamp":"%s","fields":{{%s}}}}', {told})"""
    numbered = f"SELECT {entry} AS entry, (row_number() OVER () - 1) / {EVENT_PASSENGERS} AS part FROM {source}"  # noqa: S608 - of constants
    return f"""
        SELECT count(*) AS passengers, convert_to('[' || string_agg(entry, ',') || ']', 'UTF8') AS changes
        FROM ({numbered}) AS numbered GROUP BY part ORDER BY part
    """  # noqa: S608 - of constants


ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(7365727001)")
"""Loads store one after the other: two that overlap would otherwise wait for each other's new documents."""

ANALYZE: Final = text("ANALYZE staged (row, id, has_own_id, document_number, document_type)")
"""Without it PostgreSQL takes the rows for few, and looks each one up."""

DROP_REPEATED: Final = text(
    """
    DELETE FROM staged USING (
        SELECT min(row) AS row, document_number, document_type FROM staged
        GROUP BY document_number, document_type HAVING count(*) > 1
    ) AS first
    WHERE (staged.document_number, staged.document_type) = (first.document_number, first.document_type)
        AND staged.row > first.row
    RETURNING staged.row, first.row
    """
)

DROP_REPEATED_IDS: Final = text(
    """
    DELETE FROM staged USING (
        SELECT min(row) AS row, id FROM staged WHERE has_own_id GROUP BY id HAVING count(*) > 1
    ) AS first
    WHERE staged.id = first.id AND staged.row > first.row
    RETURNING staged.row, first.row
    """
)

LOCK: Final = text(
    f"""
    WITH known AS (
        SELECT * FROM passengers WHERE id IN (
            SELECT p.id FROM staged JOIN passengers AS p ON {_SAME_DOCUMENT} WHERE {_IN_STEP} AND known_id IS NULL
            UNION ALL SELECT id FROM staged WHERE has_own_id AND {_IN_STEP}
        )
        ORDER BY id FOR UPDATE
    ), marked AS (
        UPDATE staged SET known_id = p.id FROM known AS p WHERE {_SAME_DOCUMENT} AND {_IN_STEP} AND known_id IS NULL
    )
    SELECT coalesce(max((SELECT max(stamp) FROM unnest(stamps) AS stamp)), 0) FROM known
    """  # noqa: S608 - of constants
)
"""Marks the rows whose passenger is known, which nobody else can change from now on; answers the latest stamp of those.

By id, as everybody locks: so that nobody waits for somebody who waits for him.
"""

DROP_TAKEN_IDS: Final = text(
    f"""
    DELETE FROM staged USING passengers AS p
    WHERE has_own_id AND {_IN_STEP} AND p.id = staged.id AND known_id IS DISTINCT FROM staged.id
    RETURNING staged.row, p.deleted_at IS NOT NULL AS is_deleted
    """  # noqa: S608 - of constants
)

DROP_TAKEN_DOCUMENTS: Final = text(
    f"DELETE FROM staged WHERE has_own_id AND {_IN_STEP} AND known_id <> id RETURNING row, known_id"  # noqa: S608 - of constants
)

COUNT_UNKNOWN: Final = text(f"SELECT count(*) FROM staged WHERE {_IN_STEP} AND known_id IS NULL")  # noqa: S608 - of constants

UPDATE: Final = text(
    f"""
    WITH changed AS (
        UPDATE passengers AS p SET {_list("{name} = staged.{name}", _EDITED)},
            {
        _list(
            "stamps[{place}] = CASE WHEN p.{name} IS DISTINCT FROM staged.{name} "
            "THEN :stamp ELSE p.stamps[{place}] END",
            _EDITED,
        )
    },
            version = p.version + 1, updated_at = :now
        FROM staged
        WHERE p.id = staged.known_id AND {_IN_STEP}
            AND ({_list("p.{name}", _EDITED)}) IS DISTINCT FROM ({_list("staged.{name}", _EDITED)})
        RETURNING p.*
    )
    {_entries("changed")}
    """  # noqa: S608 - of constants
)

INSERT: Final = text(
    f"""
    WITH made AS (
        INSERT INTO passengers (id, {", ".join(_SENT)}, created_at, stamps, updated_at)
        SELECT id, {", ".join(_SENT)}, CAST(:now AS timestamptz),
            array_fill(CAST(:stamp AS bigint), ARRAY[{len(_FIELDS)}]), CAST(:now AS timestamptz)
        FROM staged WHERE {_IN_STEP} AND known_id IS NULL
        ON CONFLICT DO NOTHING
        RETURNING *
    )
    {_entries("made")}
    """  # noqa: S608 - of constants
)
"""What somebody else has registered since the lock is passed over."""
