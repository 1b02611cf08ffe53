"""What was measured last: `results.json`, and the table of it in README.md."""

import json
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.machine import machine
from benchmarks.processes import ROOT
from benchmarks.row import Row

RESULTS: Final = ROOT / "benchmarks" / "results.json"
README: Final = ROOT / "README.md"
_BEGIN: Final = "<!-- benchmarks: filled in by `make bench` -->\n"
_END: Final = "<!-- end of benchmarks -->\n"
_SHOWN: Final = {
    "orders": "`POST /orders`, journalled and published",
    "announcement": "an order's 201 to its line, at half load",
    "draining": "consumer, backlog of 50,000",
    "sign_ups": "`POST /users/`, bcrypt with 12 rounds",
    "reads_in_a_burst": "`GET /users/{id}` during a burst of sign-ups",
    "listing_newest": "`GET /orders`, page of 50 among 1,000,000",
}

JsonObject = dict[str, Any]


def write(rows: Sequence[Row]) -> None:
    """Put rows in the place of those of the same names, and the table into the README."""
    kept = {row["name"]: row for row in read()} | {row.name: {**row.as_json(), "machine": machine()} for row in rows}
    RESULTS.write_text(json.dumps(list(kept.values()), indent=2) + "\n")
    README.write_text(filled(README.read_text(), read()))


def read() -> list[JsonObject]:
    """The rows of results.json."""
    rows: list[JsonObject] = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    return rows


def filled(text: str, rows: Sequence[JsonObject]) -> str:
    """A document with today's table between its marks."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{_table(rows)}\n{_END}{after}"


def _table(rows: Sequence[JsonObject]) -> str:
    by_name = {row["name"]: row for row in rows}
    lines = ["| what | ours | beside | goal | met |", "|---|---|---|---|---|"]
    lines += [_line(what, by_name[name]) for name, what in _SHOWN.items() if name in by_name]
    on = next((row["machine"] for row in rows), None)
    if on:
        lines += ["", f"Measured on {on['measured_on']}: {on['cores']} cores, {on['processor']}, {on['system']}."]
    return "\n".join([*lines, ""])


def _line(what: str, row: JsonObject) -> str:
    others = row["peers"] | ({"floor": row["floor"]} if row["floor"] is not None else {})
    beside = [f"{who} {value:g} (x{row['ratios'][who]:g})" for who, value in others.items()]
    sign = "≥" if row["more_is_better"] else "≤"
    goals = [f"{sign} {'' if who == 'ours' else 'x'}{value:g} {who}" for who, value in row["goal"].items()]
    ours = f"{row['ours']:g} {row['unit']}"
    return f"| {what} | {ours} | {', '.join(beside)} | {', '.join(goals)} | {'yes' if row['met'] else 'no'} |"
