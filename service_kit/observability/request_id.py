"""The id under which a request stands in logs, answers and problem documents."""

import re
from random import getrandbits
from typing import Final

from starlette.types import Scope

_ACCEPTED_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def request_id_of(scope: Scope) -> str:
    """The id of this request: the caller's `X-Request-ID` if it is a plain token, else one of ours."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ACCEPTED_ID.fullmatch(value):
            return str(value, "ascii")
    return f"{getrandbits(64):016x}"  # unique, no secret
