"""Lists, schedules and balances of loans on which something was paid."""

from tests.loans_service.conftest import Desk, code_of, three_on_time


class TestLists:
    async def test_page_in_both_directions(self, desk: Desk) -> None:
        loan = await three_on_time(desk)
        for sort, order in (("created_at", [1, 2, 3]), ("-created_at", [3, 2, 1])):
            found: list[int] = []
            path = f"/loans/{loan['id']}/payments?limit=2&sort={sort}&with_total=true"
            while path:
                answer = await desk.api.get(path)
                found += [item["number"] for item in answer.json()["items"]]
                path = answer.links["next"]["url"] if answer.links else ""

            assert (found, answer.json()["total"]) == (order, 3)

    async def test_refuse_a_cursor_of_another_sort(self, desk: Desk) -> None:
        loan = await three_on_time(desk)
        page = await desk.read(loan, "/payments", limit="1")
        answer = await desk.api.get(
            f"/loans/{loan['id']}/payments", params={"sort": "-created_at", "cursor": page["next_cursor"]}
        )

        assert (answer.status_code, code_of(answer)) == (400, "bad-cursor")


class TestSchedules:
    async def test_tell_what_has_become_of_each_row(self, desk: Desk) -> None:
        loan = await desk.active_loan()
        await desk.pay(loan, "960.60", "2026-02-28")
        await desk.pay(loan, "500.00", "2026-03-31")
        rows = (await desk.read(loan, "/schedule"))["rows"]
        original = (await desk.read(loan, "/schedule", original="true"))["rows"]

        assert [row["state"] for row in rows[:5]] == ["paid", "late", "late", "late", "scheduled"]
        assert [row["paid"] for row in rows[:3]] == ["960.60", "500.00", "0.00"]
        assert {(row["state"], row["paid"]) for row in original} == {("scheduled", "0.00")}

    async def test_read_the_same_as_csv(self, desk: Desk) -> None:
        loan = await desk.active_loan()
        rows = (await desk.read(loan, "/schedule"))["rows"]
        answer = await desk.api.get(f"/loans/{loan['id']}/schedule", headers={"Accept": "text/csv"})
        head, *lines = answer.text.splitlines()

        assert answer.headers["content-type"].startswith("text/csv")
        assert [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines] == [
            {name: str(value) for name, value in row.items()} for row in rows
        ]


async def test_owes_nothing_before_it_is_paid_out(desk: Desk) -> None:
    draft, active = await desk.loan(), await desk.active_loan()
    balances = [await desk.read(draft, "/balance"), await desk.read(active, "/balance", as_of="2026-01-30")]

    assert [balance["payoff"] for balance in balances] == ["0.00", "0.00"]
    assert [balance["next_instalment"] for balance in balances] == [None, None]


async def test_reads_the_balance_of_days_to_come(desk: Desk) -> None:
    loan = await three_on_time(desk)
    balance = await desk.read(loan, "/balance", as_of="2026-09-15")

    assert (balance["days_past_due"], balance["bucket"]) == (107, "90+")  # since 31 May
    assert balance["next_instalment"]["due_on"] == "2026-09-30"
