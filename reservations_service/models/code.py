"""The code of a reservation: what a passenger reads out at the desk, so without the signs that look alike."""

import secrets
from typing import Annotated, Final

from service_kit.fields.text import TextPattern

ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH: Final = 6

Code = Annotated[
    str,
    TextPattern(
        rf"^[{ALPHABET}]{{{CODE_LENGTH}}}$", "A code has six signs: capital letters and digits without I, O, 0 and 1"
    ),
]


def draw_code() -> str:
    """One of a billion, which nobody can guess from another; whether it is taken only the table knows."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
