"""How many passwords may be tried.

A try is counted before its password is hashed, so that those who come at once all count, and given back when it was the
right one. An address from which somebody logged in within 30 days is not held up by what others try on the account: so
nobody can lock its owner out.
"""

from dataclasses import dataclass
from typing import Final

from service_kit.accounts.errors import TooManyAttemptsError
from service_kit.limits.limiter import Limit, Limiter

KNOWN_DAYS: Final = 30

_PAIR: Final = Limit("login-account-and-address", 5, 15 * 60)
_ADDRESS: Final = Limit("login-address", 100, 60 * 60)
_ACCOUNT: Final = Limit("login-account", 100, 60 * 60)


@dataclass(frozen=True, slots=True)
class GuessLimits:
    """How many tries there may be.

    Attributes:
        pair: Of an account from an address.
        address: From an address.
        account: Of an account, from addresses that it is not known at.
    """

    pair: Limit = _PAIR
    address: Limit = _ADDRESS
    account: Limit = _ACCOUNT


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

    def counted_in(self, limits: GuessLimits) -> list[tuple[Limit, tuple[str, ...]]]:
        """The limits in which it counts, each with what it counts there."""
        of_account = [] if self.is_known else [(limits.account, (self.email_key,))]
        return [(limits.pair, (self.email_key, self.network)), (limits.address, (self.network,)), *of_account]


class Guesses:
    """Counts tries."""

    def __init__(self, limiter: Limiter, limits: GuessLimits) -> None:
        self._limiter = limiter
        self._limits = limits

    async def count(self, attempt: Attempt) -> None:
        """Count one.

        Raises:
            TooManyAttemptsError: It is one too many (429).
        """
        for limit, whom in attempt.counted_in(self._limits):
            if wait_seconds := await self._limiter.count(limit, *whom):
                raise TooManyAttemptsError(wait_seconds)

    async def give_back(self, attempt: Attempt) -> None:
        """Uncount one that was no guess."""
        for limit, whom in attempt.counted_in(self._limits):
            await self._limiter.give_back(limit, *whom)
