"""Guards: what a caller has to show before a router's routes, and its fast paths, serve it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase

from service_kit.api.fast_path import Admits, FastPath
from service_kit.problems import ServiceError


def _nobody(_headers: Mapping[bytes, bytes]) -> bool:
    return False


def _everybody(_headers: Mapping[bytes, bytes]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Guard:
    """One way to be let in.

    Attributes:
        check: A FastAPI dependency: raises one of `refusals`, or lets the request through. It takes what the caller has
            sent as a parameter with `Security(scheme)`, which brings the scheme into `/docs`.
        scheme: How the caller shows it.
        refusals: The errors that `/docs` promises.
        admits: The same as `check`, for fast paths; without it they leave every request to their route.
    """

    check: Callable[..., Awaitable[object]]
    scheme: SecurityBase
    refusals: tuple[type[ServiceError], ...]
    admits: Admits = _nobody

    @property
    def header(self) -> str:
        """The header that it reads: caches must not give one caller's answer to another."""
        model = self.scheme.model
        if not isinstance(model, APIKey):
            return "Authorization"
        return "Cookie" if model.in_ is APIKeyIn.cookie else model.name


@dataclass(frozen=True, slots=True)
class Guarded:
    """A router, or a fast path, with another guard than the service's own; with None anybody may call it."""

    router: APIRouter | FastPath
    guard: Guard | None

    @property
    def dependencies(self) -> list[Any]:
        """For FastAPI's `include_router`."""
        return [Depends(self.guard.check)] if self.guard else []

    @property
    def admits(self) -> Admits:
        """For the fast path."""
        return self.guard.admits if self.guard else _everybody
