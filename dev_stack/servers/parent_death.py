"""Ties a child to our life, so that `kill -9` of the supervisor leaves nothing behind."""

import shutil
import threading


def leash() -> list[str]:
    """What to put before a command so that the kernel kills it when we die, however we die.

    `setpriv` (Debian's util-linux) replaces itself by the command, so the child keeps its process id.
    """
    setpriv = shutil.which("setpriv")
    # The kernel watches the thread that forked, not the process: a child of a short-lived thread would die with it.
    if setpriv is None or threading.current_thread() is not threading.main_thread():
        return []
    return [setpriv, "--pdeathsig", "KILL", "--"]
