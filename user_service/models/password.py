"""A password on its way in. It is never stored or answered; `services/passwords.py` hashes it."""

from typing import Annotated, Final

from pydantic import AfterValidator, SecretStr, WithJsonSchema

MIN_CHARACTERS: Final = 8
MAX_BYTES: Final = 72
"""bcrypt reads no more. Source: https://pypi.org/project/bcrypt/ ("Maximum Password Length")"""

# JSON schema cannot count bytes. So this says what is taken whatever the characters: 72 of one byte, 36 of up to two,
# 24 of up to three, 18 of any. Mixed ones may be longer. Each count is in steps because that leaves generators of test
# data away from the longest, which with one character more would break the pattern and still be taken.
_ALWAYS_TAKEN: Final = (
    r"^([\x01-\x7F]{8,72}"
    + ("|" + r"[\x01-\u07FF]{8}" + r"[\x01-\u07FF]{0,7}" * 4)
    + ("|" + r"[\x01-\uFFFF]{8}" + r"[\x01-\uFFFF]{0,4}" * 4)
    + ("|" + r"[^\x00]{8}" + r"[^\x00]{0,2}" * 5 + ")$")
)


def _hashable(password: SecretStr) -> SecretStr:
    """Refuse what bcrypt would cut or cannot read.

    Raises:
        ValueError: With a sentence that does not quote it.
    """
    text = password.get_secret_value()
    if len(text) < MIN_CHARACTERS:
        raise ValueError(f"A password has at least {MIN_CHARACTERS} characters")
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(f"A password has at most {MAX_BYTES} bytes in UTF-8; take a shorter one")
    if "\0" in text:
        raise ValueError("Leave the character NUL out of a password")
    return password


Password = Annotated[
    SecretStr,
    AfterValidator(_hashable),
    WithJsonSchema(
        {
            "type": "string",
            "format": "password",
            "minLength": MIN_CHARACTERS,
            "maxLength": MAX_BYTES,
            "pattern": _ALWAYS_TAKEN,
            "description": f"{MIN_CHARACTERS} characters to {MAX_BYTES} bytes of UTF-8.",
        }
    ),
]
