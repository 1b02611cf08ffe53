"""What was measured last: `results.json`, and the tables of it in the documents."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.harness.machine import machine
from benchmarks.harness.processes import ROOT
from benchmarks.harness.row import Row
from benchmarks.measures.limits import CALLERS, REPLICAS, SERVICES

RESULTS: Final = ROOT / "benchmarks" / "results.json"
_BEGIN: Final = "<!-- benchmarks: filled in by `make bench` -->\n"
_END: Final = "<!-- end of benchmarks -->\n"
_GOALS: Final = {
    "orders": "`POST /orders`, journalled and published",
    "announcement": "an order's 201 to its line, at half load",
    "draining": "consumer, backlog of 50,000",
    "sign_ups": "`POST /users/`, bcrypt with 12 rounds",
    "reads_in_a_burst": "`GET /users/{id}` during a burst of sign-ups",
    "listing_newest": "`GET /orders`, page of 50 among 1,000,000",
    "load_7000": "7,000 passengers loaded over HTTP, with their events",
    "list_7000": "7,000 passengers listed over HTTP",
    "page_of_passengers": "`GET /passengers`, page of 100 among 1,000,000",
    "load_million_memory": "memory while 1,000,000 passengers are loaded",
    "sync_from_passengers": "a change in passengers_service, readable in reservations_service",
    "sync_from_reservations": "a change in reservations_service, readable in passengers_service",
}
_LIMITS: Final = {
    "load_million": "1,000,000 passengers loaded as NDJSON",
    **{f"start_{service}": f"{service}: start" for service in SERVICES},
    "memory_orders_service": "orders_service: memory after load",
    **{f"orders_{callers}_callers": f"`POST /orders`, {callers} callers" for callers in CALLERS},
    **{f"orders_{callers}_callers_p99": f"p99 with {callers} callers" for callers in CALLERS},
    **{f"orders_{count}_replicas": f"`POST /orders`, {count} of the service" for count in REPLICAS},
}
_FOR_NEWCOMERS: Final = ("orders", "announcement", "load_7000")
DOCUMENTS: Final = {
    ROOT / "README.md": {name: _GOALS[name] for name in _FOR_NEWCOMERS},
    ROOT / "docs" / "architecture" / "proof.md": _GOALS | _LIMITS,
}
"""Which rows stand in which document, and what they are called there."""

JsonObject = dict[str, Any]


def write(rows: Sequence[Row]) -> None:
    """Put rows in the place of those of the same names, and the tables into the documents."""
    kept = {row["name"]: row for row in read()} | {row.name: {**row.as_json(), "machine": machine()} for row in rows}
    RESULTS.write_text(json.dumps(list(kept.values()), indent=2) + "\n")
    for document, shown in DOCUMENTS.items():
        document.write_text(filled(document.read_text(), shown))


def read() -> list[JsonObject]:
    """The rows of results.json."""
    rows: list[JsonObject] = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    return rows


def filled(text: str, shown: Mapping[str, str]) -> str:
    """A document with today's table of some rows between its marks."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{_table(shown)}\n{_END}{after}"


def _table(shown: Mapping[str, str]) -> str:
    by_name = {row["name"]: row for row in read() if row["name"] in shown}
    lines = ["| what | ours | beside | goal | met |", "|---|---|---|---|---|"]
    lines += [_line(what, by_name[name]) for name, what in shown.items() if name in by_name]
    machines = [row["machine"] for row in by_name.values()]
    for on in machines[-1:]:
        lines += ["", f"Measured on {on['measured_on']}: {on['cores']} cores, {on['processor']}, {on['system']}."]
    return "\n".join([*lines, ""])


def _line(what: str, row: JsonObject) -> str:
    others = row["peers"] | ({"floor": row["floor"]} if row["floor"] is not None else {})
    beside = [f"{who} {value:g} (x{row['ratios'][who]:g})" for who, value in others.items()]
    sign = "≥" if row["more_is_better"] else "≤"
    goals = [f"{sign} {'' if who == 'ours' else 'x'}{value:g} {who}" for who, value in row["goal"].items()]
    ours = f"{row['ours']:g} {row['unit']}"
    met = ("yes" if row["met"] else "no") if goals else ""
    return f"| {what} | {ours} | {', '.join(beside)} | {', '.join(goals)} | {met} |"
