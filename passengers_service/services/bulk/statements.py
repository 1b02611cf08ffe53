"""The statements of a load, which move its rows from a temporary table into the passengers, whole sets at a time.

Both statements that change passengers also write the events into the outbox, one for each 500 passengers, and return
how many passengers have changed. So the rows of a load pass through Python only once.
"""

from typing import Final

from sqlalchemy import Boolean, Column, Date, Integer, MetaData, Table, Text, Uuid, text

from passengers_service.events import PassengerFields
from passengers_service.models.passenger import PassengerEdit
from passengers_service.models.tables import OUTBOX

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
"""The rows of one load, until its transaction ends. `known_id` is the id of the passenger with the row's document."""

_FIELDS: Final = PassengerFields.__struct_fields__
_SENT: Final = tuple(PassengerEdit.model_fields)
_EDITED: Final = tuple(name for name in _SENT if name not in {"document_type", "document_number"})
_PLACES: Final = {name: _FIELDS.index(name) + 1 for name in _FIELDS}

_SAME_DOCUMENT: Final = (
    "(p.document_number, p.document_type) = (staged.document_number, staged.document_type) AND p.is_listed"
)
_IN_STEP: Final = "staged.row BETWEEN :first AND :last"


def _list(template: str, names: tuple[str, ...]) -> str:
    return ", ".join(template.format(name=name, place=_PLACES[name]) for name in names)


def _entry(fields: str) -> str:
    """An entry of an event, of the row `p` that a statement returns."""
    return f"""format('{{"id":"%s","stamp":"%s","fields":%s}}', p.id, CAST(:stamp_text AS text), {fields}) AS entry"""


_ALL_FIELDS: Final = f"row_to_json((SELECT f FROM (SELECT {_list('p.{name}', _FIELDS)}) AS f))"  # noqa: S608 - of constants
_NAME_AND_VALUE: Final = """'"{name}":' || coalesce(to_json(p.{name})::text, 'null')"""
_CHANGED_FIELDS: Final = (
    "'{' || concat_ws(',', "
    + _list("CASE WHEN p.stamps[{place}] = :stamp THEN " + _NAME_AND_VALUE + " END", _EDITED)
    + ") || '}'"
)
_TOLD: Final = f"""
    , events AS (
        SELECT CAST(gen_random_uuid() AS text) AS id, count(*) AS passengers, string_agg(entry, ',') AS entries
        FROM (SELECT entry, (row_number() OVER () - 1) / {EVENT_PASSENGERS} AS part FROM told) AS numbered
        GROUP BY part
    ), stored AS (
        INSERT INTO {OUTBOX.name} (id, topic, body, due_at)
        SELECT CAST(id AS uuid), CAST(:topic AS text), convert_to(concat(CAST(:before_id AS text), id,
            CAST(:before_data AS text), '{{"changes":[', entries, ']}}', CAST(:after AS text)), 'UTF8'),
            now()
        FROM events
    )
    SELECT CAST(coalesce(sum(passengers), 0) AS integer) FROM events
"""  # noqa: S608 - of constants

ONE_AT_A_TIME: Final = text("SELECT set_config('lock_timeout', '0', true), pg_advisory_xact_lock(7365727001)")
"""Loads are stored one after the other: two that overlap would otherwise wait for each other's new documents.

From here on a load may wait for a lock as long as a statement may take, because each load before it takes seconds.
"""

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

IS_ANYBODY_KNOWN: Final = text(
    f"""
    SELECT EXISTS (
        SELECT FROM staged JOIN passengers AS p ON {_SAME_DOCUMENT}
        WHERE {_IN_STEP} AND (staged.row % 97 = 1 OR staged.row > :last - 10)
    )
    """  # noqa: S608 - of constants
)
"""Of a sample, with the last ones in it: lists often have the newest first."""

LOCK: Final = text(
    f"""
    WITH known AS (
        SELECT staged.ctid AS place, p.id, GREATEST({_list("p.stamps[{place}]", _FIELDS)}) AS latest_stamp
        FROM staged JOIN passengers AS p ON {_SAME_DOCUMENT}
        WHERE {_IN_STEP} AND known_id IS NULL
        ORDER BY p.id FOR UPDATE OF p
    ), marked AS (
        UPDATE staged SET known_id = known.id FROM known WHERE staged.ctid = known.place
    )
    SELECT coalesce(max(latest_stamp), 0) FROM known
    """  # noqa: S608 - of constants
)
"""Marks the rows whose passenger is known, and locks these passengers; returns the latest of their stamps.

Lock in id order, as every writer does, to avoid deadlocks.
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

_LATER_STAMP: Final = "CASE WHEN p.{name} IS DISTINCT FROM staged.{name} THEN :stamp ELSE p.stamps[{place}] END"

UPDATE: Final = text(
    f"""
    WITH told AS (
        UPDATE passengers AS p SET {_list("{name} = staged.{name}", _EDITED)},
            {_list("stamps[{place}] = " + _LATER_STAMP, _EDITED)},
            version = p.version + 1, updated_at = :now
        FROM staged
        WHERE p.id = staged.known_id AND {_IN_STEP}
            AND ({_list("p.{name}", _EDITED)}) IS DISTINCT FROM ({_list("staged.{name}", _EDITED)})
        RETURNING {_entry(_CHANGED_FIELDS)}
    )
    {_TOLD}
    """  # noqa: S608 - of constants
)

INSERT: Final = text(
    f"""
    WITH told AS (
        INSERT INTO passengers AS p (id, {", ".join(_SENT)}, created_at, stamps, updated_at)
        SELECT id, {", ".join(_SENT)}, CAST(:now AS timestamptz),
            array_fill(CAST(:stamp AS bigint), ARRAY[{len(_FIELDS)}]), CAST(:now AS timestamptz)
        FROM staged WHERE {_IN_STEP} AND known_id IS NULL
        RETURNING {_entry(_ALL_FIELDS)}
    )
    {_TOLD}
    """  # noqa: S608 - of constants
)
"""Breaks a unique index if a passenger is known, is twice in the load, or was registered just now.

`ON CONFLICT DO NOTHING` would skip that passenger, but takes 12 ms longer for 7,000: it looks every row up twice, and
writes it twice to the log.
"""
