"""How many passwords may be tried.

A try is counted before its password is hashed, so that those who come at once all count, and given back when it was the
right one. An address from which somebody logged in within 30 days is not held up by what others try on the account: so
nobody can lock its owner out.
"""

from dataclasses import dataclass
from typing import Final

from service_kit.accounts.errors import TooManyAttemptsError
from service_kit.limits.limiter import Limit, Limiter

PAIR_LIMIT: Final = Limit("login-account-and-address", 5, 15 * 60)
ADDRESS_LIMIT: Final = Limit("login-address", 100, 60 * 60)
ACCOUNT_LIMIT: Final = Limit("login-account", 100, 60 * 60)
KNOWN_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try.

    Attributes:
        email_key: Of the account, whether there is one or not.
        network: Where it comes from, as `network_of` has it.
        is_known: Whether somebody logged in to this account from there lately.
    """

    email_key: str
    network: str
    is_known: bool

    @property
    def limits(self) -> list[tuple[Limit, tuple[str, ...]]]:
        """What it counts in."""
        everybody = [] if self.is_known else [(ACCOUNT_LIMIT, (self.email_key,))]
        return [(PAIR_LIMIT, (self.email_key, self.network)), (ADDRESS_LIMIT, (self.network,)), *everybody]


class Guesses:
    """Counts tries."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    async def count(self, attempt: Attempt) -> None:
        """Count one.

        Raises:
            TooManyAttemptsError: It is one too many (429).
        """
        for limit, whom in attempt.limits:
            if wait_seconds := await self._limiter.count(limit, *whom):
                raise TooManyAttemptsError(wait_seconds)

    async def give_back(self, attempt: Attempt) -> None:
        """Uncount one that was no guess."""
        for limit, whom in attempt.limits:
            await self._limiter.give_back(limit, *whom)
