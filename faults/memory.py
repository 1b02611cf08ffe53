"""The services over minutes of load: their memory has to become flat, and their event loops stay free."""

import asyncio
import os
import re
import time
from pathlib import Path
from statistics import median
from typing import Final
from urllib.request import urlopen

from faults.session import trial
from faults.verdict import Verdict
from tests.support.system import ServiceProcess

_PAGE_MB: Final = os.sysconf("SC_PAGE_SIZE") / 1_000_000
_GROWTH: Final = 1.1
_WAKE_UPS: Final = re.compile(r'event_loop_lag_seconds_bucket\{le="(.+)"\} (\S+)')


async def memory(*, seed: int, seconds: float, rate: float) -> Verdict:
    """In the last third of the load no service holds more memory than in the second; no event loop is ever blocked."""
    async with trial("memory", seed=seed, rate=rate) as current:
        services = (*current.site.orders, *current.site.consumers)
        samples: dict[str, list[float]] = {service.folder.name: [] for service in services}
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for service in services:
                samples[service.folder.name].append(resident_mb(service))
            await asyncio.sleep(1)
        late = {service.folder.name: await asyncio.to_thread(_late_wake_ups, service) for service in services}
    for name, (count, total) in late.items():
        current.verdict.notes.append(f"{name}: of {total} looks at its event loop {count} came over 50 ms late")
        if count:
            current.verdict.failures.append(f"the event loop of {name} was blocked {count} times")
    for name, megabytes in samples.items():
        first, second, last = _thirds(megabytes)
        current.verdict.notes.append(f"{name}: {first:.1f}, {second:.1f}, {last:.1f} MB, the medians of the thirds")
        if last > _GROWTH * second:
            current.verdict.failures.append(f"{name} grows")
    return current.verdict


def _late_wake_ups(service: ServiceProcess) -> tuple[int, int]:
    """How many sleepers the event loop woke more than 50 ms late, and how many there were."""
    with urlopen(f"{service.url}/metrics", timeout=5) as answer:  # noqa: S310 - our own address
        metrics: str = answer.read().decode()
    within = {edge: int(float(count)) for edge, count in _WAKE_UPS.findall(metrics)}
    return within["+Inf"] - within["0.05"], within["+Inf"]


def resident_mb(service: ServiceProcess) -> float:
    """Memory that a process holds at the moment."""
    return int(Path(f"/proc/{service.pid}/statm").read_text().split()[1]) * _PAGE_MB


def _thirds(values: list[float]) -> list[float]:
    third = len(values) // 3
    return [median(values[start : start + third]) for start in (0, third, 2 * third)]
