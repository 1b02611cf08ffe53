"""A password on its way in. It is never stored or answered; `services/passwords.py` hashes it."""

from typing import Annotated, Final

from pydantic import AfterValidator, SecretStr, WithJsonSchema

MIN_CHARACTERS: Final = 8
MAX_BYTES: Final = 72
"""bcrypt reads no more. Source: https://github.com/pyca/bcrypt#maximum-password-length"""

# JSON schema cannot count bytes: this says what is always taken. That leaves out a few mixtures of over 18 characters,
# which are taken too. The length stands in here alone, as `maxLength` would have to be 72 and so true of few of them.
_NARROW: Final = r"[\x01-\u07FF]"  # up to two bytes
_WIDE: Final = r"[^\x00-\u07FF]"  # three or four
_ANY: Final = r"[^\x00]"
_ALWAYS_TAKEN: Final = "|".join(
    (
        r"^(?:[\x01-\x7F]{8,72}",
        rf"{_NARROW}{{8,36}}",
        r"[\x01-\uFFFF]{8,24}",
        rf"{_ANY}{{8,18}}",
        rf"(?!(?:{_NARROW}*{_WIDE}){{10}}){_ANY}{{8,27}}",
        rf"(?!(?:{_NARROW}*{_WIDE}){{5}}){_ANY}{{8,32}})$",
    )
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
            "pattern": _ALWAYS_TAKEN,
            "description": f"{MIN_CHARACTERS} characters to {MAX_BYTES} bytes in UTF-8; what matches the pattern fits.",
        }
    ),
]
