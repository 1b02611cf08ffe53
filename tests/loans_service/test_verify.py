"""`python -m loans_service.verify` finds what somebody has changed behind the service's back, and nothing else."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from loans_service.config.settings import LoansSettings
from loans_service.verify import verify
from tests.loans_service.conftest import LUCIA, Desk

REASON = {"reason": "Bounced."}


async def lead_lives(desk: Desk) -> None:
    """Clients and loans of every kind."""
    client = await desk.client()
    await desk.api.patch(f"/clients/{client['id']}", json={"first_name": "Luz"})
    gone = await desk.client(document_type="other")
    await desk.api.delete(f"/clients/{gone['id']}")
    draft = await desk.loan(client_id=client["id"])
    await desk.api.delete(f"/loans/{(await desk.loan(client_id=client['id']))['id']}")
    await desk.do(draft, "reject", **REASON)
    paid = await desk.active_loan()
    await desk.pay(paid, (await desk.read(paid, "/balance"))["payoff"])
    active = await desk.active_loan(late_annual_rate_percent="36")
    payment = await desk.pay(active, "960.60", "2026-02-28")
    await desk.pay(active, "5000.00", "2026-04-30", excess="lower_instalment")
    await desk.api.post(f"/loans/{active['id']}/payments/{payment['id']}/reverse", json=REASON)
    await desk.do(await desk.active_loan(), "write-off", **REASON)
    await desk.do(await desk.active_loan(), "cancel", **REASON)


async def test_is_silent_about_lives_that_the_service_has_led(
    desk: Desk, settings: LoansSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    await lead_lives(desk)

    assert await verify(settings) == 0, capsys.readouterr().out
    assert "Every history is whole" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE loans SET principal_outstanding = 1 WHERE status = 'active'", "principal_outstanding is 1.00"),
        ("UPDATE loans SET status = 'active', paid_on = NULL WHERE status = 'paid'", "status is active"),
        ("UPDATE loans SET next_unpaid_due_on = '2030-01-01' WHERE status = 'active'", "next_unpaid_due_on is 2030"),
        ("DELETE FROM reversals", "principal_outstanding"),
        ("UPDATE loan_history SET reason = 'x' WHERE command = 'reject'", "entry 2 was changed"),
        ("UPDATE loan_history SET \"by\" = 'x' WHERE number = 1", "entry 1 was changed"),
        ("UPDATE loan_history SET changes = '{}' WHERE number = 1", "the values of entry 1 were changed"),
        ("DELETE FROM loan_history WHERE number = 1", "entry 1 is missing"),
        ("DELETE FROM loan_history WHERE command = 'disburse'", "entry 3 is missing"),
        ("DELETE FROM loan_history WHERE command IN ('cancel', 'write-off')", "its history ends at 3"),
        ("DELETE FROM client_history WHERE command = 'delete'", "no entry says who has deleted it"),
        ("UPDATE client_history SET changes = NULL WHERE number = 1", "values of its history are gone"),
        ("DELETE FROM loan_history", "it has no history"),
    ],
)
async def test_finds_what_was_changed(
    desk: Desk,
    database: AsyncEngine,
    settings: LoansSettings,
    capsys: pytest.CaptureFixture[str],
    statement: str,
    told: str,
) -> None:
    await lead_lives(desk)
    async with database.begin() as connection:
        for table in ("client_history", "loan_history", "payments", "reversals"):
            await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        await connection.execute(text(statement))

    assert await verify(settings) > 0
    assert told in capsys.readouterr().out
    assert LUCIA["document_number"] not in capsys.readouterr().out
