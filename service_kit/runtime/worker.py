"""Runs a process that serves no API: its resources, health on its port, SIGTERM to stop."""

import asyncio
import signal
import sys
from collections.abc import Sequence

import structlog
from starlette.applications import Starlette

from service_kit.api.home import home_routes
from service_kit.background import exit_status
from service_kit.observability.health import READY, health_routes
from service_kit.observability.logs import configure_logs
from service_kit.observability.loop_lag import LoopWatch
from service_kit.observability.tracing import configure_tracing
from service_kit.resources import Resource, all_running
from service_kit.runtime.http_limits import HttpLimits
from service_kit.runtime.serve import EmbeddedServer, listening_socket, server_config, tune_garbage_collection
from service_kit.settings.process import ServiceSettings

log = structlog.get_logger()


def run_worker(settings: ServiceSettings, resources: Sequence[Resource]) -> None:
    """Let the resources run until SIGTERM or SIGINT; ends the process, with another status than 0 if one has failed."""
    configure_logs(settings)
    configure_tracing(settings)
    tune_garbage_collection()
    server = EmbeddedServer(server_config(_health_server(settings, resources), HttpLimits(settings.max_connections)))
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(_run(settings, resources, server))
    sys.exit(exit_status())


def _health_server(settings: ServiceSettings, resources: Sequence[Resource]) -> Starlette:
    """Its home tells how it is: there is nothing else to see."""
    checks = [check for resource in resources for check in resource.checks]
    return Starlette(routes=[*home_routes(READY), *health_routes(checks, settings.metrics_keys)])


async def _run(settings: ServiceSettings, resources: Sequence[Resource], server: EmbeddedServer) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    bound = listening_socket(settings.host, settings.port)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        async with all_running([LoopWatch(), *resources]):
            await stop.wait()
    finally:
        server.should_exit = True
        await serving
    log.info("stopped", service=settings.service)
