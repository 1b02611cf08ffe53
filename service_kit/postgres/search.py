"""How texts begin: conditions that an index for `text_pattern_ops` answers, whatever the database's collation."""

import re
from typing import Final

from sqlalchemy import text

_WILD: Final = re.compile(r"[\\%_]")
_ESCAPED: Final = r"\\\g<0>"

PLAN_EACH: Final = text("SET LOCAL plan_cache_mode = force_custom_plan")
"""A plan for whichever text is sought could use no index: what LIKE begins with is known only with its pattern."""


def pattern_of(prefix: str) -> str:
    """For LIKE, of which the planner knows how many rows to expect: a range it would take for half a percent of all."""
    return f"{_WILD.sub(_ESCAPED, prefix)}%"
