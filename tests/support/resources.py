"""A resource that only notes when it starts and stops."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from service_kit.problems import ErrorTranslations
from service_kit.resources import Check, Resource


class NotedResource(Resource):
    """Has the given checks and translations.

    Args:
        name: How its start and its stop are noted.
        notes: Where.
    """

    def __init__(
        self,
        name: str = "it",
        notes: list[str] | None = None,
        *,
        checks: Sequence[Check] = (),
        translations: ErrorTranslations | None = None,
    ) -> None:
        self._name = name
        self._notes = [] if notes is None else notes
        self._checks = checks
        self._translations = translations or {}

    @property
    def checks(self) -> Sequence[Check]:
        return self._checks

    @property
    def translations(self) -> ErrorTranslations:
        return self._translations

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._notes.append(f"{self._name} starts")
        yield
        self._notes.append(f"{self._name} stops")
