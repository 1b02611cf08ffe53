"""What people get to see: a row for each scenario, and under it what went wrong or was measured."""

from collections.abc import Sequence
from typing import Final

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from faults.verdict import Verdict

_COLUMNS: Final = (
    *("scenario", "seed", "rounds", "posts", "accepted", "503", "unknown settled", "found", "lines", "lost"),
    *("repeated", "after no kill", "longest s"),
)


def print_report(console: Console, verdicts: Sequence[Verdict]) -> None:
    """Print the table, and below it the sentences."""
    table = Table(*_COLUMNS, box=SIMPLE, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for verdict in verdicts:
        table.add_row(*_cells(verdict), style="red" if verdict.failures else None)
    console.print(table)
    for verdict in verdicts:
        for sentence in (*(f"[red]{failure}[/]" for failure in verdict.failures), *verdict.notes):
            console.print(f"{verdict.scenario}: {sentence}", highlight=False, soft_wrap=True)


def _cells(verdict: Verdict) -> list[str]:
    counts = (
        *(verdict.seed, verdict.rounds, verdict.posts, verdict.accepted, verdict.refused, verdict.settled),
        *(verdict.found, verdict.told, len(verdict.lost), len(verdict.repeated), len(verdict.unexcused)),
    )
    return [verdict.scenario, *map(str, counts), f"{verdict.longest_seconds:.2f}"]
