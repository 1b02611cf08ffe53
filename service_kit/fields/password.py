"""A password in a request. It is never stored or returned; `accounts/passwords.py` hashes it."""

from typing import Annotated, Final

from pydantic import AfterValidator, SecretStr, WithJsonSchema

MIN_CHARACTERS: Final = 8
MAX_BYTES: Final = 72
"""bcrypt reads no more. Source: https://github.com/pyca/bcrypt#maximum-password-length"""


def _hashable(password: SecretStr) -> SecretStr:
    """Refuse passwords that bcrypt would truncate or cannot read.

    Raises:
        ValueError: With a sentence that does not quote the password.
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
            # JSON schema counts characters; the description says that the limit is in bytes.
            "minLength": MIN_CHARACTERS,
            "maxLength": MAX_BYTES,
            "pattern": r"^[^\x00]*$",
            "description": f"{MIN_CHARACTERS} characters to {MAX_BYTES} bytes in UTF-8, without NUL.",
        }
    ),
]
