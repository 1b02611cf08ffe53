"""What a process stands on: resources, which work while it runs, and services, which routes find by their type."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

from service_kit.problems import ErrorTranslations

Service = TypeVar("Service")


@dataclass(frozen=True)
class Check:
    """Something that a service needs.

    Attributes:
        name: What is asked, as the answer names it.
        probe: Returns if it is well, raises if not; the answer names the kind of error, never its
            text, unless it is one of ours, which is a sentence for callers.
        required: Without it the service is not ready; else it is only degraded, and goes on serving.
        timeout_seconds: A probe that takes longer counts as no answer; platforms themselves wait a few seconds.
    """

    name: str
    probe: Callable[[], Awaitable[None]]
    required: bool = True
    timeout_seconds: float = 2.5


class Resource(Protocol):
    """Something that works while a process runs: a store, a connection, a task in the background."""

    @property
    def checks(self) -> Sequence[Check]:
        """What `/health/ready` asks of it."""
        return ()

    @property
    def translations(self) -> ErrorTranslations:
        """How its driver's errors become ours."""
        return {}

    @abstractmethod
    def running(self) -> AbstractAsyncContextManager[None]:
        """Work while the block runs. It begins at once: nobody waits for a server that is away."""


@asynccontextmanager
async def all_running(resources: Iterable[Resource]) -> AsyncIterator[None]:
    """Start them in their order, and stop them in the reverse one after the block."""
    async with AsyncExitStack() as stack:
        for resource in resources:
            await stack.enter_async_context(resource.running())
        yield


class Services:
    """What a process has made once, found by its class or one that it inherits from; the last one of a class counts."""

    def __init__(self, *services: object) -> None:
        self._by_type = {kind: service for service in services for kind in type(service).__mro__}

    def __getitem__(self, kind: type[Service]) -> Service:
        return cast("Service", self._by_type[kind])
