"""Where settings come from beside the environment, which goes before all of it; later files go before earlier ones.

1. While `make up` runs, the addresses of its servers, in development: so every command finds them by itself.
2. `.env` in the folder that a process is started from: what all processes share. `make up` hands it on to its own.
3. `.env` in the folder of the service: what that service alone reads, when it is started alone.

A name with the service's own in front (`ORDERS_SERVICE_LOG_LEVEL`) goes before the plain one, in the environment and in
each file: so services that share them may differ.

`ENV_FILE` names a file that is read instead of all these; empty, nothing but the environment counts, as for the
services of `make up`. Images have none of them.
"""

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource
from pydantic_settings.sources import DotenvType

SHARED: Final = Path(".env")
STACK_ADDRESSES: Final = Path(".data", "addresses.env")
STACK_LOCK: Final = Path(".data", "lock")
"""Held by `make up` as long as it lives, however it ends."""

_OF_ONE_SERVICE: Final = ("DATABASE_NAME", "MONGODB_DATABASE", "PORT")

_OF_THE_MACHINE: Final = ("host", "port")
"""Names that others write with a service's name in front: `ORDERS_SERVICE_PORT` is a port of the machine for `make up`
and docker compose, and Kubernetes says by it, and by `…_HOST`, where another service is."""


def env_files(package: Path | None) -> tuple[Path, ...]:
    """The files that settings of a package are read from, but for the addresses of `make up`.

    Args:
        package: Its folder, if it has one.
    """
    named = os.environ.get("ENV_FILE")
    if named is not None:
        return (Path(named),) if named else ()
    return (SHARED, package / ".env") if package else (SHARED,)


def stack_addresses() -> Path | None:
    """The file with the addresses of `make up`, if it runs in this folder and is to be asked."""
    if "ENV_FILE" in os.environ or not STACK_ADDRESSES.exists() or not _is_held(STACK_LOCK):
        return None
    return STACK_ADDRESSES


def _is_held(path: Path) -> bool:
    """Whether a process lives that has locked the file: one that was killed leaves the file, not the lock."""
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def of_one_service(names: Iterable[str]) -> list[str]:
    """Those of the names that no two services can share: they would have one database, or one port."""
    return sorted({name.upper() for name in names}.intersection(_OF_ONE_SERVICE))


def misplaced(names: Iterable[str], service: str | None = None) -> str:
    """The sentence for names in `.env` that belong to one service."""
    return (
        f".env holds {' and '.join(names)}, which no two services can share: move it to {service or '<service>'}/.env, "
        "which that service alone reads."
    )


def own_sources(
    settings_type: type[BaseSettings], service: str, file: DotenvType | None
) -> tuple[EnvSettingsSource, DotEnvSettingsSource]:
    """The environment's and the files' names that have the service's own in front."""
    prefix = f"{service}_"
    return (
        _OwnEnvironment(settings_type, env_prefix=prefix),
        _OwnFile(settings_type, env_file=file, env_prefix=prefix),
    )


class _OwnEnvironment(EnvSettingsSource):
    def __call__(self) -> dict[str, Any]:
        return _without_those_of_the_machine(super().__call__())


class _OwnFile(DotEnvSettingsSource):
    def __call__(self) -> dict[str, Any]:
        return _without_those_of_the_machine(super().__call__())


def _without_those_of_the_machine(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in _OF_THE_MACHINE}
