"""Tells commands in other terminals where the servers of this `make up` are; `service_kit.settings` reads it.

Our own servers alone, which have no passwords: one that the user has named is the user's to name again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from dev_stack.supervision.plan import Plan
from service_kit.settings.env_files import STACK_ADDRESSES


@contextmanager
def published(plan: Plan) -> Iterator[None]:
    """Leave the addresses in a file while the block runs. Whoever reads it sees by the lock whether we live."""
    file = plan.root / STACK_ADDRESSES
    file.write_text("".join(f"{name}={url}\n" for name, url in plan.addresses.items()))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
