"""Runs a consumer as a process: health on its port, SIGTERM to stop, a non-zero exit when it is lost."""

import asyncio
import signal
import sys

import structlog
from starlette.applications import Starlette

from service_kit.api.home import home_routes
from service_kit.observability.health import READY, Check, health_routes
from service_kit.observability.logs import configure_logs
from service_kit.observability.loop_lag import watched_loop
from service_kit.observability.tracing import configure_tracing
from service_kit.rabbit.consumer import Consumer
from service_kit.rabbit.liveness import LOST_STATUS, ConsumerLostError
from service_kit.runtime.http_limits import HttpLimits
from service_kit.runtime.serve import EmbeddedServer, listening_socket, server_config, tune_garbage_collection
from service_kit.settings import ServiceSettings

log = structlog.get_logger()


def run_worker(settings: ServiceSettings, consumer: Consumer) -> None:
    """Consume until SIGTERM or SIGINT; ends the process."""
    configure_logs(settings)
    configure_tracing(settings)
    tune_garbage_collection()
    server = EmbeddedServer(server_config(_health_server(settings, consumer), HttpLimits(settings.max_connections)))
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        try:
            runner.run(_run(settings, consumer, server))
        except ConsumerLostError:
            log.exception("consumer_lost")
            sys.exit(LOST_STATUS)


def _health_server(settings: ServiceSettings, consumer: Consumer) -> Starlette:
    """Its home tells how it is: there is nothing else to see."""
    health = health_routes([Check("rabbitmq", consumer.check)], settings.metrics_keys)
    return Starlette(routes=[*home_routes(READY), *health])


async def _run(settings: ServiceSettings, consumer: Consumer, server: EmbeddedServer) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    bound = listening_socket(settings.host, settings.port)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        async with watched_loop():
            await consumer.run(stop)
    finally:
        server.should_exit = True
        await serving
    log.info("stopped", service=settings.service)
