"""One `make up` at a time on one data folder: two servers on the same files would spoil them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev_stack.errors import StackError
from service_kit.settings.env_files import STACK_LOCK


class AlreadyRunningError(StackError):
    """Another supervisor runs on the same folder."""


@contextmanager
def held(root: Path) -> Iterator[None]:
    """Hold the data of this repository; the kernel lets go of it when we die, however we die.

    Raises:
        AlreadyRunningError: Naming the process that holds it.
    """
    path = root / STACK_LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunningError(
                f"`make up` is running already: stop it with Ctrl-C where it runs, or by `kill {lock.read()}`."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
