"""Instants in a query."""

import re
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BeforeValidator

_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", flags=re.ASCII)


def _timestamp(text: Any) -> Any:  # noqa: ANN401 - whatever stands in the query
    """Refuse the numbers that pydantic would read as seconds since 1970."""
    if not isinstance(text, str) or not _RFC_3339.fullmatch(text):
        raise ValueError("Write it like 2026-11-20T10:00:00Z; a + in it is spelled %2B")
    return text


QueryInstant = Annotated[AwareDatetime, BeforeValidator(_timestamp)]
"""Written like 2026-11-20T10:00:00Z."""
