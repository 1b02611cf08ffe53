"""The key of a request that may be sent again: `Idempotency-Key`.

Source: draft-ietf-httpapi-idempotency-key-header
"""

import re
from typing import Annotated, Final

from pydantic import Field

from service_kit.fields.text import TextPattern

KEY_PATTERN: Final = r'^("([ !#-\[\]-~]|\\["\\])+"|[!#-~]([ -~]*[!-~])?)$'
"""A string of RFC 9651, as the draft wants it, or the bare key that most callers send."""

_ESCAPED: Final = re.compile(r'\\(["\\])')

IdempotencyKey = Annotated[
    str,
    Field(max_length=255),
    TextPattern(
        KEY_PATTERN, 'Send printable ASCII, as in 8e03978e-40d5-43dd-bc93-6894a57f9324; in "quotes" or without'
    ),
]


def bare_key(header: str) -> str:
    """The caller's key, the same whether it came quoted or bare."""
    return _ESCAPED.sub(r"\1", header[1:-1]) if header.startswith('"') else header
