"""Search by the beginning of a text: conditions that an index of `text_pattern_ops` answers, in every collation."""

import re
from typing import Final

from sqlalchemy import text

_WILD: Final = re.compile(r"[\\%_]")
_ESCAPED: Final = r"\\\g<0>"

PLAN_EACH: Final = text("SET LOCAL plan_cache_mode = force_custom_plan")
"""Plans for each value: a generic plan could not use the index, because the beginning of the pattern is unknown."""


def pattern_of(prefix: str) -> str:
    """The pattern for LIKE. The planner estimates its selectivity; for a range it would assume 0.5 %."""
    return f"{_WILD.sub(_ESCAPED, prefix)}%"
