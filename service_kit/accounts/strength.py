"""Passwords that would be guessed soon: common ones, and those that hold what everybody knows of the account.

No rules of composition, and no expiry. Source: OWASP ASVS 5.0, 6.2.4 and 6.2.11.
"""

import re
from typing import Final

from pydantic import SecretStr
from zxcvbn_rs_py import zxcvbn

from service_kit.problems import InvalidRequestError

_ENOUGH: Final = 2
"""Of zxcvbn's 0 to 4: safe from guessing through a login that is limited."""
_WORD: Final = re.compile(r"\w{3,}")
_SENTENCE: Final = "Choose a password that is harder to guess: a longer one, without your name and without common words"


class WeakPasswordError(InvalidRequestError):
    """The password would be guessed soon."""

    def __init__(self, field: str) -> None:
        mistake = {"field": field, "message": _SENTENCE, "code": "weak_password"}
        super().__init__(f"{_SENTENCE}.", errors=[mistake])


def require_strength(password: SecretStr, *known: str, field: str = "body.password") -> None:
    """Refuse a password that would be guessed soon.

    Args:
        password: It.
        known: What everybody knows of the account: its e-mail address, its owner's name.
        field: Where it was sent.

    Raises:
        WeakPasswordError: It would be (422).
    """
    words = [word for text in map(str.lower, known) for word in _words_of(text)]
    if int(zxcvbn(password.get_secret_value(), words).score) < _ENOUGH:
        raise WeakPasswordError(field)


def _words_of(text: str) -> list[str]:
    """A name as it is, its parts, and these together."""
    parts = _WORD.findall(text)
    return [text, *parts, "".join(parts)]
