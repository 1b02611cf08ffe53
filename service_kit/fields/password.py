"""A password on its way in. It is never stored or answered; `accounts/passwords.py` hashes it."""

from typing import Annotated, Final

from pydantic import AfterValidator, SecretStr, WithJsonSchema

MIN_CHARACTERS: Final = 8
MAX_BYTES: Final = 72
"""bcrypt reads no more. Source: https://github.com/pyca/bcrypt#maximum-password-length"""


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
            # JSON schema counts characters: so many of more than a byte are too long, as the description says.
            "minLength": MIN_CHARACTERS,
            "maxLength": MAX_BYTES,
            "pattern": r"^[^\x00]*$",
            "description": f"{MIN_CHARACTERS} characters to {MAX_BYTES} bytes in UTF-8, without NUL.",
        }
    ),
]
