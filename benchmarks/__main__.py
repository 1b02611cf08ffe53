"""`python -m benchmarks [NAME…]`: measures us, our peers and the floor in one run, and prints the table."""

import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.harness import wrk
from benchmarks.harness.results import write
from benchmarks.harness.row import Row
from benchmarks.harness.testbed import Site, open_site
from benchmarks.measures import announcement, draining, limits, listing, orders, passengers, sign_ups, sync

BENCHMARKS: Final[dict[str, Callable[[Site], Sequence[Row]]]] = {
    "orders": orders.measure,
    "announcement": announcement.measure,
    "draining": draining.measure,
    "sign_ups": sign_ups.measure,
    "listing": listing.measure,
    "passengers": passengers.measure,
    "sync": sync.measure,
    "limits": limits.measure,
}
_console = Console()


def main(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help=", ".join(BENCHMARKS))] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each contender is measured.")] = 3,
) -> None:
    """Measure, print the table, and keep it in benchmarks/results.json and README.md."""
    chosen = names or list(BENCHMARKS)
    if unknown := sorted(set(chosen) - BENCHMARKS.keys()):
        sys.exit(f"There is no benchmark called {' or '.join(unknown)}; there are {', '.join(BENCHMARKS)}.")
    wrk.install()
    rows: list[Row] = []
    for name in chosen:
        _console.rule(name)
        with open_site(rounds, _console.print) as site:
            measured = BENCHMARKS[name](site)
        write(measured)
        rows += measured
    _print(rows)
    if not all(row.met for row in rows):
        sys.exit("Not every goal is met.")


def _print(rows: Sequence[Row]) -> None:
    table = Table("name", "ours", "unit", "floor and peers", "ratios", "goal", "met")
    for row in rows:
        others = ({"floor": row.floor} if row.floor is not None else {}) | dict(row.peers)
        table.add_row(
            row.name,
            f"{row.ours:g}  ({row.spread['ours'][0]:g}-{row.spread['ours'][1]:g})",
            row.unit,
            "\n".join(f"{who} {value:g}" for who, value in others.items()),
            "\n".join(f"{who} x{value:g}" for who, value in row.ratios.items()),
            "\n".join(f"{'≥' if row.more_is_better else '≤'} {value:g} {who}" for who, value in row.goal.items()),
            "yes" if row.met else "[bold red]no",
        )
    _console.print(table)


if __name__ == "__main__":
    typer.run(main)
