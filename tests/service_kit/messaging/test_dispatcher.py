import json

import msgspec
import pytest
from structlog.testing import capture_logs

from service_kit.messaging.dispatcher import EventDispatcher
from service_kit.messaging.events import Event, UndecodableEventError, decode_event


class Thing(msgspec.Struct, frozen=True):
    name: str


def event(event_type: str = "thing.happened", data: object = None) -> Event:
    envelope = {
        "specversion": "1.0",
        "id": "1",
        "source": "/tests",
        "type": event_type,
        "data": data or {"name": "one"},
    }
    return decode_event(json.dumps(envelope).encode())


@pytest.fixture
def handled() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def handlers(handled: list[tuple[str, str]]) -> EventDispatcher:
    async def note(event: Event, thing: Thing) -> None:
        handled.append((event.type, thing.name))

    handlers = EventDispatcher()
    handlers.add("thing.happened", Thing, note)
    return handlers


async def test_gives_a_handler_the_event_and_its_data(
    handlers: EventDispatcher, handled: list[tuple[str, str]]
) -> None:
    await handlers(event())
    assert handled == [("thing.happened", "one")]


async def test_passes_over_an_unknown_type_and_tells_it_once(
    handlers: EventDispatcher, handled: list[tuple[str, str]]
) -> None:
    with capture_logs() as logs:
        for _ in range(3):
            await handlers(event("weather.changed"))
    assert [line["type"] for line in logs] == ["weather.changed"]
    assert not handled


async def test_does_not_read_the_data_of_an_unknown_type(handlers: EventDispatcher) -> None:
    await handlers(event("weather.changed", data=[1, 2]))


async def test_passes_over_what_we_have_told_ourselves_unread(handled: list[tuple[str, str]]) -> None:
    handlers = EventDispatcher(own_source=event().source)
    with capture_logs() as logs:
        await handlers(event(data=[1, 2]))
        await handlers(event("weather.changed"))
    assert not logs
    assert not handled


async def test_refuses_data_that_it_cannot_read(handlers: EventDispatcher, handled: list[tuple[str, str]]) -> None:
    with pytest.raises(UndecodableEventError):
        await handlers(event(data={"title": "one"}))
    assert not handled


async def test_lets_the_error_of_a_handler_pass(handlers: EventDispatcher) -> None:
    async def fail(_event: Event, _thing: Thing) -> None:
        raise RuntimeError("the store is away")

    handlers.add("thing.broke", Thing, fail)
    with pytest.raises(RuntimeError, match="the store is away"):
        await handlers(event("thing.broke"))


async def test_remembers_and_says_little_of_a_strangers_long_types(handlers: EventDispatcher) -> None:
    with capture_logs() as logs:
        for number in range(1500):
            await handlers(event(f"{number}{'x' * 1000}"))
    assert len(logs) == 1000
    assert max(len(line["type"]) for line in logs) == 100
