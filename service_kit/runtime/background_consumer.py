"""A consumer inside an API's process, for a service that both answers requests and consumes events."""

from collections.abc import Sequence

from service_kit.rabbit.consumer import Consumer
from service_kit.resources import Check


class BackgroundConsumer(Consumer):
    """A consumer beside an API, which goes on answering while the broker is away."""

    @property
    def checks(self) -> Sequence[Check]:
        return [Check("consumer", self.check, required=False)]
