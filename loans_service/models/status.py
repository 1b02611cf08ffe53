"""The life of a loan: which command is legal in which status, and where it leads."""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from service_kit.problems import ServiceError


class LoanStatus(StrEnum):
    """Where a loan stands."""

    DRAFT = "draft"
    APPROVED = "approved"
    ACTIVE = "active"
    PAID = "paid"
    WRITTEN_OFF = "written_off"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Command(StrEnum):
    """What can be done to a loan, as `POST /loans/{id}/…` spells it."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    DISBURSE = "disburse"
    REOPEN = "reopen"
    WRITE_OFF = "write-off"
    PAY = "payments"
    REVERSE = "reverse"


_LEADS_TO: Final[Mapping[LoanStatus, Mapping[Command, LoanStatus]]] = {
    LoanStatus.DRAFT: {
        Command.APPROVE: LoanStatus.APPROVED,
        Command.REJECT: LoanStatus.REJECTED,
        Command.CANCEL: LoanStatus.CANCELLED,
    },
    LoanStatus.APPROVED: {
        Command.DISBURSE: LoanStatus.ACTIVE,
        Command.CANCEL: LoanStatus.CANCELLED,
        Command.REOPEN: LoanStatus.DRAFT,
    },
    LoanStatus.ACTIVE: {
        Command.PAY: LoanStatus.ACTIVE,
        Command.REVERSE: LoanStatus.ACTIVE,
        Command.WRITE_OFF: LoanStatus.WRITTEN_OFF,
        Command.CANCEL: LoanStatus.CANCELLED,
    },
    LoanStatus.PAID: {Command.REVERSE: LoanStatus.ACTIVE},
    LoanStatus.WRITTEN_OFF: {Command.PAY: LoanStatus.WRITTEN_OFF, Command.REVERSE: LoanStatus.WRITTEN_OFF},
    LoanStatus.REJECTED: {Command.REOPEN: LoanStatus.DRAFT},
    LoanStatus.CANCELLED: {Command.REOPEN: LoanStatus.DRAFT},
}

DISBURSED: Final = frozenset({LoanStatus.ACTIVE, LoanStatus.PAID, LoanStatus.WRITTEN_OFF})
"""Loans with books: what is owed on the others is nothing."""


class NotInThisStatusError(ServiceError):
    """The loan's status does not allow this."""

    status = HTTPStatus.CONFLICT
    code = "not-in-this-status"

    def __init__(self, current: LoanStatus, legal: list[Command], detail: str | None = None) -> None:
        commands = f"legal now: {', '.join(legal)}" if legal else "no command is legal now"
        sentence = detail or "that is not allowed in this status"
        super().__init__(
            f"The loan is {current}: {sentence}; {commands}.", loan_status=current, legal_commands=list(legal)
        )


def legal_commands(current: LoanStatus, *, has_payments: bool, was_disbursed: bool) -> list[Command]:
    """The commands that a loan takes now.

    Args:
        current: Its status.
        has_payments: Whether a payment stands: then the loan's money has not simply come back.
        was_disbursed: Whether it was ever paid out: then it cannot be a draft again.
    """
    illegal = {
        *((Command.CANCEL,) if has_payments else ()),
        *((Command.REVERSE,) if not has_payments else ()),
        *((Command.REOPEN,) if was_disbursed else ()),
    }
    return [command for command in _LEADS_TO[current] if command not in illegal]


def leads_to(current: LoanStatus, command: Command) -> LoanStatus:
    """The status after a legal command."""
    return _LEADS_TO[current][command]
