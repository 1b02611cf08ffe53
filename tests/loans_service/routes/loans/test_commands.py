import asyncio
from datetime import timedelta

import pytest

from tests.loans_service.conftest import NOON, YEAR, Desk, JsonObject, account, code_of

BIG = {"principal": "100000.01"}
REASON = {"reason": "The client asked for it."}


async def history(desk: Desk, loan: JsonObject) -> list[JsonObject]:
    entries: list[JsonObject] = (await desk.api.get(f"/loans/{loan['id']}/history")).json()["items"]
    return entries


async def loan_in(desk: Desk, status: str) -> JsonObject:
    """A loan of a status."""
    if status in ("active", "written_off"):
        loan = await desk.active_loan()
        return await desk.do(loan, "write-off", **REASON) if status == "written_off" else loan
    loan = await desk.loan()
    command = {"approved": "approve", "rejected": "reject", "cancelled": "cancel"}.get(status)
    if command is None:
        return loan
    return await desk.do(loan, command, **({} if command == "approve" else REASON))


async def test_pays_out_what_was_approved(desk: Desk) -> None:
    loan = await desk.active_loan()

    assert (loan["status"], loan["disbursed_on"], loan["approvals_missing"]) == ("active", "2026-01-31", 0)
    assert (loan["principal_outstanding"], loan["next_unpaid_due_on"]) == ("10000.00", "2026-02-28")
    assert loan["days_past_due"] == 107  # on 15 June
    assert [entry["command"] for entry in await history(desk, loan)] == ["create", "approve", "disburse"]


async def test_makes_the_schedule_again_from_the_real_day(desk: Desk) -> None:
    loan = await desk.loan(
        **YEAR | {"opening_fee": "300.00", "disburse_on": "2026-06-30", "first_due_on": "2026-07-31"}
    )
    await desk.do(loan, "approve")
    paid_out = await desk.do(loan, "disburse", first_due_on="2026-08-31")
    disbursed = (await history(desk, loan))[-1]["changes"]

    assert (paid_out["disbursed_on"], paid_out["first_due_on"]) == ("2026-06-15", "2026-08-31")
    assert disbursed["annual_cost_percent"] == [loan["annual_cost_percent"], paid_out["annual_cost_percent"]]
    assert loan["annual_cost_percent"] != paid_out["annual_cost_percent"]


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"disbursed_on": "2026-06-16"}, "disbursed_on"),  # tomorrow
        ({"disbursed_on": "2025-11-01"}, "first_due_on"),  # 119 days before
        ({"disbursed_on": "2026-01-31", "first_due_on": "2026-03-30"}, "first_due_on"),
    ],
)
async def test_refuses_days_that_do_not_fit(desk: Desk, told: JsonObject, field: str) -> None:
    loan = await desk.loan()
    await desk.do(loan, "approve")
    answer = await desk.try_to(loan, "disburse", **told)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"body.{field}")


_COMMANDS = ("approve", "reject", "cancel", "disburse", "reopen", "write-off")
_LEGAL = {
    "draft": {"approve": "approved", "reject": "rejected", "cancel": "cancelled"},
    "approved": {"disburse": "active", "cancel": "cancelled", "reopen": "draft"},
    "active": {"write-off": "written_off", "cancel": "cancelled"},
    "written_off": {},
    "rejected": {"reopen": "draft"},
    "cancelled": {"reopen": "draft"},
}


@pytest.mark.parametrize("command", _COMMANDS)
@pytest.mark.parametrize("status", _LEGAL)
async def test_takes_the_commands_of_the_status_alone(desk: Desk, status: str, command: str) -> None:
    loan = await loan_in(desk, status)
    body = {} if command == "approve" else {"disbursed_on": "2026-01-31"} if command == "disburse" else REASON
    answer = await desk.try_to(loan, command, **body)

    if becomes := _LEGAL[status].get(command):
        assert (answer.status_code, answer.json().get("status")) == (200, becomes)
    else:
        assert (answer.status_code, code_of(answer)) == (409, "not-in-this-status")
        assert answer.json()["loan_status"] == status
        assert set(_LEGAL[status]) <= set(answer.json()["legal_commands"])


async def test_forgets_the_books_of_a_loan_whose_money_came_back(desk: Desk) -> None:
    loan = await desk.do(await desk.active_loan(), "cancel", **REASON)
    reopened = await desk.try_to(loan, "reopen", **REASON)

    assert (loan["principal_outstanding"], loan["next_unpaid_due_on"], loan["days_past_due"]) == ("0.00", None, 0)
    assert code_of(reopened) == "not-in-this-status"


@pytest.mark.parametrize("command", ["reject", "cancel", "reopen", "write-off"])
@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 501}, {"reason": None}])
async def test_needs_a_reason(desk: Desk, command: str, body: JsonObject) -> None:
    loan = await desk.loan()
    answer = await desk.api.post(f"/loans/{loan['id']}/{command}", json=body)

    assert (answer.status_code, code_of(answer)) == (422, "invalid-request")


@pytest.mark.parametrize("command", ["approve", "disburse"])
async def test_needs_to_know_what_was_read(desk: Desk, command: str) -> None:
    loan = await desk.loan()
    if command == "disburse":
        await desk.do(loan, "approve")
    path = f"/loans/{loan['id']}/{command}"
    without = await desk.api.post(path)
    stale = await desk.api.post(path, headers={"If-Match": '"77"'})

    assert (without.status_code, code_of(without)) == (428, "precondition-required")
    assert (stale.status_code, code_of(stale)) == (412, "stale-edit")


class TestFourEyes:
    async def test_need_two_different_administrators(self, desk: Desk) -> None:
        loan = await desk.loan(**BIG)
        first = await desk.do(loan, "approve")
        again = await desk.try_to(loan, "approve")
        one, desk.caller = desk.caller, account("administrator")
        second = await desk.do(loan, "approve")

        assert loan["approvals_missing"] == 2
        assert (first["status"], first["approvals_missing"]) == ("draft", 1)
        assert (again.status_code, code_of(again)) == (409, "same-approver")
        assert (second["status"], second["approvals_missing"]) == ("approved", 0)
        assert [approval["by"] for approval in second["approvals"]] == [one.email, desk.caller.email]

    async def test_are_void_when_a_draft_is_edited_or_reopened(self, desk: Desk) -> None:
        loan = await desk.do(await desk.loan(**BIG), "approve")
        sent = {**YEAR, **BIG, "client_id": loan["client_id"], "term_months": 24}
        edited = (await desk.api.put(f"/loans/{loan['id']}", json=sent)).json()

        assert (edited["approvals"], edited["approvals_missing"]) == ([], 2)

    async def test_are_not_needed_at_the_limit_nor_in_another_currency(self, desk: Desk) -> None:
        for changes in ({"principal": "100000.00"}, {"principal": "9000000.00", "currency": "EUR"}):
            assert (await desk.do(await desk.loan(**changes), "approve"))["status"] == "approved"


class TestEditing:
    async def test_replaces_all_of_a_draft(self, desk: Desk) -> None:
        loan = await desk.loan(notes="old")
        answer = await desk.api.put(
            f"/loans/{loan['id']}", json={**YEAR, "client_id": loan["client_id"], "term_months": 6}
        )

        assert (answer.status_code, answer.headers["etag"], answer.json()["notes"]) == (200, '"2"', None)
        assert answer.json()["last_due_on"] == "2026-07-31"

    async def test_changes_nothing_where_nothing_differs(self, desk: Desk) -> None:
        loan = await desk.loan()
        answer = await desk.api.put(f"/loans/{loan['id']}", json={**YEAR, "client_id": loan["client_id"]})

        assert answer.headers["etag"] == '"1"'

    @pytest.mark.parametrize("status", ["approved", "active", "written_off", "rejected", "cancelled"])
    async def test_edits_no_terms_of_what_is_more_than_a_draft(self, desk: Desk, status: str) -> None:
        loan = await loan_in(desk, status)
        same = {**YEAR, "client_id": loan["client_id"]}
        path = f"/loans/{loan['id']}"
        notes = await desk.api.put(path, json={**same, "notes": "Called.", "external_id": "L-7"})
        terms = await desk.api.put(path, json={**same, "term_months": 24})
        deleted = await desk.api.delete(path)

        assert (notes.status_code, notes.json()["notes"], notes.json()["status"]) == (200, "Called.", status)
        assert (terms.status_code, code_of(terms)) == (409, "not-in-this-status")
        assert (deleted.status_code, code_of(deleted)) == (409, "not-in-this-status")

    async def test_changes_the_fields_given(self, desk: Desk) -> None:
        loan = await desk.loan(annual_rate_percent="24.000001")
        path = f"/loans/{loan['id']}"
        changed = await desk.api.patch(path, json={"term_months": 24, "notes": "Longer."})
        same = await desk.api.patch(path, json={"term_months": 24})
        await desk.do(loan, "approve")
        terms = await desk.api.patch(path, json={"term_months": 12})
        notes = await desk.api.patch(path, json={"notes": None})

        assert (changed.json()["term_months"], changed.json()["annual_rate_percent"]) == (24, "24.000001")
        assert (changed.headers["etag"], same.headers["etag"]) == ('"2"', '"2"')
        assert (terms.status_code, code_of(terms)) == (409, "not-in-this-status")
        assert (notes.status_code, notes.json()["notes"]) == (200, None)

    async def test_deletes_a_draft_and_keeps_its_history(self, desk: Desk) -> None:
        loan = await desk.loan()
        answer = await desk.api.delete(f"/loans/{loan['id']}")

        assert answer.status_code == 204
        assert (await desk.api.get(f"/loans/{loan['id']}")).status_code == 404
        assert [entry["command"] for entry in await history(desk, loan)] == ["create", "delete"]


class TestRaces:
    @pytest.mark.parametrize(
        ("command", "status", "body"),
        [("approve", "draft", {}), ("disburse", "approved", {"disbursed_on": "2026-01-31"})],
    )
    async def test_do_a_command_once(self, desk: Desk, command: str, status: str, body: JsonObject) -> None:
        loan = await loan_in(desk, status)
        path, tag = f"/loans/{loan['id']}", {"If-Match": (await desk.api.get(f"/loans/{loan['id']}")).headers["etag"]}
        answers = await asyncio.gather(
            *(desk.api.post(f"{path}/{command}", json=body or None, headers=tag) for _ in range(8))
        )

        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7

    async def test_approve_only_what_was_read(self, desk: Desk) -> None:
        loan = await desk.loan()
        path, tag = f"/loans/{loan['id']}", {"If-Match": '"1"'}
        approved, edited = await asyncio.gather(
            desk.api.post(f"{path}/approve", headers=tag),
            desk.api.put(path, json={**YEAR, "client_id": loan["client_id"], "term_months": 24}),
        )
        after = (await desk.api.get(path)).json()

        assert (approved.status_code, edited.status_code) in {(200, 409), (412, 200)}
        assert after["status"] == ("approved" if approved.status_code == 200 else "draft")


async def test_shows_a_client_account_its_own_loans_alone(desk: Desk) -> None:
    own, other = await desk.loan(), await desk.loan()
    desk.caller = account("client", subject_id=own["client_id"])
    answers = [await desk.api.get(f"/loans/{loan['id']}{path}") for loan in (own, other) for path in ("", "/history")]

    assert [answer.status_code for answer in answers] == [200, 404, 404, 404]


async def test_changes_its_tag_with_the_days_past_due(desk: Desk) -> None:
    loan = await desk.active_loan()
    path = f"/loans/{loan['id']}"
    tag = {"If-None-Match": (await desk.api.get(path)).headers["etag"]}
    same_day = await desk.api.get(path, headers=tag)
    desk.now = NOON + timedelta(days=1)
    next_day = await desk.api.get(path, headers=tag)

    assert (same_day.status_code, next_day.status_code, next_day.json()["days_past_due"]) == (304, 200, 108)
