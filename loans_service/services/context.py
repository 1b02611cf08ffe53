"""Who asks, when, and in which request: what every rule is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from service_kit.accounts.caller import Caller


@dataclass(frozen=True, slots=True)
class Policy:
    """What the lender has settled.

    Attributes:
        time_zone: Where its day begins.
        second_approval_above: By currency: a loan of more needs two administrators.
    """

    time_zone: ZoneInfo
    second_approval_above: Mapping[str, Decimal]

    def approvals_needed(self, principal: Decimal, currency: str) -> int:
        """How many different administrators have to approve."""
        limit = self.second_approval_above.get(currency)
        return 2 if limit is not None and principal > limit else 1


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request.

    Attributes:
        caller: Who asks.
        now: Its instant.
        request_id: As the logs have it.
        policy: The lender's.
    """

    caller: Caller
    now: datetime
    request_id: str
    policy: Policy

    @property
    def today(self) -> date:
        """The lender's day."""
        return self.now.astimezone(self.policy.time_zone).date()
