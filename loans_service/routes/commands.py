"""`POST /loans/{id}/…`: the commands of a loan's life."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter, Response

from loans_service.models.loan import Disbursement, Given, LoanView
from loans_service.models.status import Command, NotInThisStatusError
from loans_service.routes.dependencies import CommandsDep
from loans_service.routes.loans import LoanId, shown
from loans_service.routes.responses import TAGGED
from loans_service.services.errors import (
    LoanNotFoundError,
    PreconditionRequiredError,
    SameApproverError,
    UnsoundTermsRefusedError,
)
from service_kit.api.etags import AcceptedVersions, StaleEditError
from service_kit.postgres.dependencies import TransactionRoute
from service_kit.problems import problems

router = APIRouter(prefix="/loans/{loan_id:uuid}", tags=["commands"], route_class=TransactionRoute)

_REFUSALS: Final = (LoanNotFoundError, NotInThisStatusError, StaleEditError)

_CLOSING: Final[dict[Command, tuple[str, str]]] = {
    Command.REJECT: ("Reject a draft", "The client does not get it. It can be reopened."),
    Command.CANCEL: (
        "Cancel a loan",
        (
            "A draft or an approved loan, which can be reopened; or one that is paid out, while no payment stands: its "
            "money has come back."
        ),
    ),
    Command.WRITE_OFF: (
        "Write a loan off",
        "Nobody expects its payments any more. Those that come all the same are recoveries, and leave it written off.",
    ),
}


@router.post(
    "/approve",
    summary="Approve a draft",
    responses=TAGGED | problems(*_REFUSALS, SameApproverError, PreconditionRequiredError),
)
async def approve(loan_id: LoanId, commands: CommandsDep, accepted: AcceptedVersions, response: Response) -> LoanView:
    """Approve what you have read: `If-Match` has to name its `ETag`.

    A loan above the lender's limit needs two different administrators: after the first it still is a draft, with
    `approvals_missing: 1`. Whoever edits it voids them.
    """
    return shown(await commands.approve(loan_id, accepted), response)


@router.post(
    "/disburse",
    summary="Pay a loan out",
    responses=TAGGED | problems(*_REFUSALS, UnsoundTermsRefusedError, PreconditionRequiredError),
)
async def disburse(
    loan_id: LoanId,
    commands: CommandsDep,
    accepted: AcceptedVersions,
    response: Response,
    told: Disbursement | None = None,
) -> LoanView:
    """Pay out an approved loan that you have read: `If-Match` has to name its `ETag`.

    The schedule is made again from the real day; the history tells the yearly cost before and after.
    """
    return shown(await commands.disburse(loan_id, told or Disbursement(), accepted), response)


@router.post("/reopen", summary="Make a draft of a loan again", responses=TAGGED | problems(*_REFUSALS))
async def reopen(
    loan_id: LoanId, given: Given, commands: CommandsDep, accepted: AcceptedVersions, response: Response
) -> LoanView:
    """Make a draft again of a loan that was never paid out; its approvals are void."""
    return shown(await commands.reopen(loan_id, given.reason, accepted), response)


def _closing(command: Command) -> Callable[..., Awaitable[LoanView]]:
    async def close(
        loan_id: LoanId, given: Given, commands: CommandsDep, accepted: AcceptedVersions, response: Response
    ) -> LoanView:
        return shown(await commands.close(loan_id, command, given.reason, accepted), response)

    return close


for _command, (_summary, _description) in _CLOSING.items():
    router.post(
        f"/{_command}",
        name=_command,
        summary=_summary,
        description=_description,
        responses=TAGGED | problems(*_REFUSALS),
    )(_closing(_command))
