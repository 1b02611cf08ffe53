"""The memory of our services over minutes of load: it has to become flat."""

import asyncio
import os
import time
from pathlib import Path
from statistics import median
from typing import Final

from tests.faults.trial import trial
from tests.faults.verdict import Verdict
from tests.system import ServiceProcess

_PAGE_MB: Final = os.sysconf("SC_PAGE_SIZE") / 1_000_000
_GROWTH: Final = 1.1


async def memory(*, seed: int, seconds: float, rate: float) -> Verdict:
    """The resident memory of each service in the last third of the load is that of the second third."""
    async with trial("memory", seed=seed, rate=rate) as current:
        services = (*current.site.orders, *current.site.consumers)
        samples: dict[str, list[float]] = {service.folder.name: [] for service in services}
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for service in services:
                samples[service.folder.name].append(_resident_mb(service))
            await asyncio.sleep(1)
    for name, megabytes in samples.items():
        first, second, last = _thirds(megabytes)
        current.verdict.notes.append(f"{name}: {first:.1f}, {second:.1f}, {last:.1f} MB, the medians of the thirds")
        if last > _GROWTH * second:
            current.verdict.failures.append(f"{name} grows")
    return current.verdict


def _resident_mb(service: ServiceProcess) -> float:
    return int(Path(f"/proc/{service.pid}/statm").read_text().split()[1]) * _PAGE_MB


def _thirds(values: list[float]) -> list[float]:
    third = len(values) // 3
    return [median(values[start : start + third]) for start in (0, third, 2 * third)]
