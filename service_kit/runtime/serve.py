"""Runs an ASGI app: `python -m service_kit.runtime.serve user_service.main:app`.

Listens where the app's settings say (`HOST`, `PORT`), because a platform starts images in exec form, where nothing
expands `$PORT`; on both IP versions for `HOST=*`, because `uvicorn --host ::` would take IPv6 alone.
"""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final, cast

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp
from uvicorn.importer import ImportFromStringError, import_from_string

from service_kit.api.proxies import behind_proxies
from service_kit.background import exit_status
from service_kit.runtime.http_limits import HttpLimits
from service_kit.runtime.http_protocol import LimitedProtocol
from service_kit.settings.process import ServiceSettings

log = structlog.get_logger()

_FINISH_SECONDS: Final = 20
_BACKLOG: Final = 2048
_USUAL_LIMITS: Final = HttpLimits()


def listening_socket(host: str, port: int) -> socket.socket:
    """Bind a socket.

    Raises:
        SystemExit: With a sentence when the port is taken or the address is not of this machine.
    """
    family, address, dual = _family_of(host)
    try:
        return socket.create_server((address, port), family=family, backlog=_BACKLOG, dualstack_ipv6=dual)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # without the address that create_server adds
        sys.exit(f"Cannot listen on port {port} of {host}: {reason}. Set PORT (and HOST) to a free one.")


def _family_of(host: str) -> tuple[socket.AddressFamily, str, bool]:
    if host == "*" and socket.has_dualstack_ipv6():
        return socket.AF_INET6, "::", True
    if host == "*":
        return socket.AF_INET, "0.0.0.0", False  # noqa: S104 - `*` asks for every address
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), host, False


def server_config(app: ASGIApp, limits: HttpLimits = _USUAL_LIMITS) -> uvicorn.Config:
    """The configuration of all our HTTP servers: our own logs and limits, and time to finish on SIGTERM."""
    protocol = partial(LimitedProtocol, limits.within_descriptors(), {})
    return uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", protocol),  # all that uvicorn does with it is to call it
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_FINISH_SECONDS,
        lifespan="on",
        ws="none",
    )


class Server(uvicorn.Server):
    """A server that ends the connections that take too long."""

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        now = asyncio.get_running_loop().time()
        for connection in tuple(self.server_state.connections):
            if isinstance(connection, LimitedProtocol) and connection.deadline < now:
                connection.give_up()
        return await super().on_tick(counter)


class EmbeddedServer(Server):
    """A server inside a process that handles its own signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture no signals."""
        yield


def main() -> None:
    """Serve the app that the first argument names, until SIGTERM or SIGINT."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the app
        sys.exit("Usage: python -m service_kit.runtime.serve PACKAGE.MODULE:APP")
    app = _app_named(sys.argv[1])
    settings: ServiceSettings = app.state.settings
    bound = listening_socket(settings.host, settings.port)
    tune_garbage_collection()
    _exit_cleanly_on_signals()
    log.info("listening", host=settings.host, port=bound.getsockname()[1])
    reached = behind_proxies(app, settings.trusted_proxies)
    Server(server_config(reached, HttpLimits(settings.max_connections))).run(sockets=[bound])


def tune_garbage_collection() -> None:
    """Collect cyclic garbage rarely, and exclude objects that were made during the start.

    By default a collection starts after every 700 allocations, and a full one visits all modules, classes and schemas:
    under load that took a third of the time, in pauses. Source: docs/decisions/0010-garbage-collection.md
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _app_named(name: str) -> Starlette:
    try:
        app: Starlette = import_from_string(name)
    except ImportFromStringError as error:
        sys.exit(f"Cannot start: {error}")
    return app


def _exit_cleanly_on_signals() -> None:
    """Let the interpreter exit normally: uvicorn raises the signal again after the last request.

    The default action would then kill the process, before the spans of the last seconds are sent.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(exit_status()))


if __name__ == "__main__":
    main()
