"""`python -m faults [NAME…] --seed N --seconds S`: the long form. Ends with 1 if the promise was broken."""

import asyncio
import secrets
import sys
from typing import Annotated

import typer
from rich.console import Console

from faults.catalog import PERFORMANCES, Performance
from faults.report import print_report
from faults.verdict import Verdict

app = typer.Typer(add_completion=False)

_USUAL = ", ".join(name for name, performance in PERFORMANCES.items() if performance.is_usual)
_FURTHER = ", ".join(name for name, performance in PERFORMANCES.items() if not performance.is_usual)
_NAMES_HELP = f"Of {_USUAL}, which are all performed when none is named; or of {_FURTHER}."


@app.command()
def main(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help=_NAMES_HELP)] = None,
    seed: Annotated[int | None, typer.Option(help="Repeats a schedule; by chance without it.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Of load; each has its own time without it.")] = None,
    rate: Annotated[float, typer.Option(help="Orders a second.")] = 150,
) -> None:
    """Prove that accepted means delivered: real processes under load, and kill -9."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    chosen_seed = secrets.randbelow(1_000_000) if seed is None else seed
    verdicts: list[Verdict] = []
    try:
        for chosen in _chosen(names or []):
            console.print(f"{chosen.name}, seed {chosen_seed}: {chosen.story}", highlight=False)
            performing = chosen.perform(seed=chosen_seed, seconds=seconds or chosen.seconds, rate=rate)
            verdicts.append(asyncio.run(performing))
    finally:
        print_report(console, verdicts)
    if any(verdict.failures for verdict in verdicts):
        raise typer.Exit(1)


def _chosen(names: list[str]) -> list[Performance]:
    if unknown := set(names) - PERFORMANCES.keys():
        raise typer.BadParameter(f"There is no {', '.join(sorted(unknown))}; there are {', '.join(PERFORMANCES)}.")
    return [one for name, one in PERFORMANCES.items() if name in names or (one.is_usual and not names)]


if __name__ == "__main__":
    app()
