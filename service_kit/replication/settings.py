"""What a service with a replicated table reads from its environment."""

from datetime import timedelta

from pydantic import Field

from service_kit.settings.environment import EnvironmentSettings


class SyncSettings(EnvironmentSettings):
    """How a service keeps its copy of stamped rows equal with the other side's."""

    max_clock_ahead_hours: float = Field(
        24, ge=2, le=8784, description="How far ahead of the clock a stamp may lie; later ones are refused."
    )

    sync_check_seconds: float = Field(
        300, ge=1, le=86_400, description="How often our digest is told, so that the other side compares."
    )

    @property
    def sync_check(self) -> timedelta:
        """The same as a span of time."""
        return timedelta(seconds=self.sync_check_seconds)

    @property
    def max_clock_ahead(self) -> timedelta:
        """The same as a span of time."""
        return timedelta(hours=self.max_clock_ahead_hours)
