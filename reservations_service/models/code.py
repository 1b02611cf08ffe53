"""The code of a reservation, which a passenger reads out at the desk: without characters that look alike."""

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
    """Draw one of a billion codes, at random, so that none can be guessed; it may be taken already."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
