"""Load by wrk, with a fixed script."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dev_stack.setup.system_packages import install_packages

CONNECTIONS: Final = 64
_SCRIPT: Final = Path(__file__).with_name("load.lua")


@dataclass(frozen=True)
class Load:
    """What a load has met.

    Attributes:
        answers: 2xx answers.
        errors: All other answers, and connections that broke.
        seconds: How long it lasted.
        p50_ms: Half of the answers came within it.
        p99_ms: 99 of 100 did.
    """

    answers: int
    errors: int
    seconds: float
    p50_ms: float
    p99_ms: float


def install() -> None:
    """Debian's package, where it is missing."""
    if shutil.which("wrk") is None:
        install_packages(("wrk",), needed_for="make bench", otherwise="put wrk on the PATH")


def load(url: str, seconds: float, *, connections: int = CONNECTIONS, script: str = "get", delay_ms: int = 0) -> Load:
    """Send requests as fast as they are answered.

    Args:
        url: Where to.
        seconds: How long.
        connections: How many callers wait for an answer at any time.
        script: `order` or `user` posts one; `get` asks.
        delay_ms: How long each caller waits before it asks again.
    """
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout=30s",
        "-s",
        str(_SCRIPT),
        url,
        "--",
        script,
        str(delay_ms),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own command
    return Load(**json.loads(done.stdout.rpartition("RESULT ")[2]))
