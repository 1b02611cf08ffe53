"""Replicas whose clocks are an hour apart: none takes what another still holds, and none leaves its own for later."""

import asyncio
from pathlib import Path
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from faults.session import trial
from faults.testbed import Site
from faults.verdict import Verdict
from tests.support.system import ROOT, ServiceProcess

_AHEAD: Final = {"CLOCK_AHEAD_SECONDS": "3600", "PYTHONPATH": f"{Path(__file__).parent / 'ahead'}:{ROOT}"}


async def clocks_apart(*, seed: int, seconds: float, rate: float) -> Verdict:
    """Of two of orders_service one is an hour ahead; the broker is away for a while, then that one dies for good."""
    async with trial("clocks_apart", seed=seed, rate=rate, orders=2, last_order=_AHEAD) as current:
        site = current.site
        await _without_broker(site, seconds / 3)
        await site.told.more()
        await asyncio.sleep(seconds / 3)
        repeats = await _repeats(site)
        await site.proxy.disconnect()
        await asyncio.sleep(seconds / 3)
        await _replaced(site, site.orders[-1])
        await site.proxy.restore()
        current.rounds += 2
    if repeats:
        current.verdict.failures.append(f"{repeats} events were published twice although nobody was killed")
    return current.verdict


async def _replaced(site: Site, ahead: ServiceProcess) -> None:
    """Kill it, and start one in its place whose clock is right: it finds due what the other one has left."""
    await site.kill(ahead)
    for name in _AHEAD:
        del ahead.settings[name]
    await site.start(ahead)


async def _without_broker(site: Site, seconds: float) -> None:
    await site.told.more()  # the relays are connected
    await site.proxy.disconnect()
    await asyncio.sleep(seconds)
    await site.proxy.restore()


async def _repeats(site: Site) -> int:
    """Events that the consumer has had before."""
    async with httpx.AsyncClient() as client:
        metrics = (await client.get(f"{site.consumers[0].url}/metrics")).text
    return sum(
        int(sample.value)
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == "messages_consumed_total" and sample.labels["outcome"] == "repeated"
    )
