"""Whose database it is. Alembic's own table carries the name of its service as a comment, since its first migration.

Every service counts its revisions from 0001: in another one's database its migrations would look as if they were done.
"""

from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import ProgrammingError

from service_kit.store import WrongDatabaseError

_TABLE: Final = "alembic_version"
_OWNER: Final = text(f"SELECT obj_description(to_regclass('{_TABLE}'), 'pg_class')")


def require_own(connection: Connection, package: str, tables: set[str]) -> None:
    """Refuse a database that another service's migrations have made.

    One of before the comments is another's if tables are there that the service does not know, and its own are not.

    Args:
        connection: To the database.
        package: Of the service.
        tables: That it has.

    Raises:
        WrongDatabaseError: It is another one's.
    """
    owner = connection.scalar(_OWNER)
    found = set(inspect(connection).get_table_names())
    connection.rollback()
    strange, missing = found - tables - {_TABLE}, tables - found
    if owner is None and _TABLE in found and strange and missing:
        raise WrongDatabaseError(
            f"the database {_name(connection)} holds {', '.join(sorted(strange))}, which {package} does not know, and "
            f"lacks {', '.join(sorted(missing))}: it is another service's. Set DATABASE_NAME to one of its own"
        )
    if owner not in (None, package):
        raise WrongDatabaseError(
            f"the database {_name(connection)} is {owner}'s, and not {package}'s: set DATABASE_NAME to one of its own"
        )


def note_own(connection: Connection, package: str) -> None:
    """Note whose database it is, unless that is noted, or the table belongs to somebody else."""
    if connection.scalar(_OWNER) is None:
        try:
            connection.execute(text(f"COMMENT ON TABLE {_TABLE} IS '{package}'"))
        except ProgrammingError:  # an account that does not own it, where another one migrates
            connection.rollback()
            return
    connection.commit()


def _name(connection: Connection) -> str:
    return str(connection.scalar(text("SELECT current_database()")))
