"""The table of addresses that appears when everything is ready."""

import io

from rich.console import Console
from rich.table import Table

from dev_stack.ports import LOOPBACK
from dev_stack.supervision.plan import Plan

_WIDTH = 160


def overview(plan: Plan) -> str:
    """The table, and how to end."""
    table = Table(show_header=False)
    for service, port in plan.services:
        table.add_row(service.name, f"http://{LOOPBACK}:{port}{service.page}")
    for server in plan.embedded.values():
        table.add_row(server.name, server.url)
    for key, named in plan.named.items():
        table.add_row(f"your own {key}", named.shown_url)
    page = io.StringIO()
    # A fixed width: a narrow terminal wraps an address, a shortened one cannot be clicked.
    Console(file=page, width=_WIDTH).print(table)
    return f"{page.getvalue()}Everything is ready; Ctrl-C stops it.\n"
