import contextlib
import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from opentelemetry.sdk.trace import TracerProvider

from service_kit.messaging.events import (
    Event,
    UndecodableEventError,
    decode_event,
    encode_event,
    envelope_parts,
    new_event,
    read_data,
)

AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
GOOD = {"specversion": "1.0", "id": "1", "source": "/tests", "type": "thing.happened", "data": {"name": "one"}}


class Thing(msgspec.Struct, frozen=True):
    name: str


def as_json(**changes: object) -> bytes:
    return json.dumps({key: value for key, value in {**GOOD, **changes}.items() if value is not None}).encode()


# What JSON can carry: no halves of surrogate pairs, and no NaN.
texts = st.text(st.characters(exclude_categories=["Cs"]))
names = texts.filter(bool)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=offsets)  # noqa: DTZ001 - bounds
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
)
events = st.builds(
    Event,
    id=names,
    source=names,
    type=names,
    data=values.map(lambda value: msgspec.Raw(msgspec.json.encode(value))),
    datacontenttype=texts,
    time=instants | st.just(UNSET),
    traceparent=texts | st.just(UNSET),
)


@given(events)
def test_reads_back_what_it_has_written(event: Event) -> None:
    assert decode_event(encode_event(event)) == event


@given(st.binary() | values.map(msgspec.json.encode))
def test_stumbles_over_strange_bytes_in_one_way_only(body: bytes) -> None:
    with pytest.raises(UndecodableEventError):
        decode_event(body)


@given(events, st.integers(min_value=0), st.binary(min_size=1, max_size=3))
def test_reads_a_damaged_envelope_or_stumbles_in_one_way_only(event: Event, at: int, damage: bytes) -> None:
    body = encode_event(event)
    at %= len(body)
    with contextlib.suppress(UndecodableEventError):
        read_data(decode_event(body[:at] + damage + body[at + len(damage) :]), Thing)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\xff\xfe",
        b"hello",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        as_json()[:-1],
        as_json() + b"x",
        as_json(id=None),
        as_json(source=None),
        as_json(type=None),
        as_json(data=None),
        as_json(id=""),
        as_json(source=""),
        as_json(type=""),
        as_json(id=7),
        as_json(specversion="0.3"),
        as_json(time="yesterday"),
        as_json(time="2026-02-30T00:00:00Z"),
        as_json().replace(b"/tests", b"/t\xe9sts"),
        as_json().replace(b"/tests", b"\\ud800"),
        b'{"id":' + b"[" * 100_000,
        b"[" * 1_000_000,
    ],
    ids=lambda body: repr(body[:60]),
)
def test_refuses_what_is_no_event(body: bytes) -> None:
    with pytest.raises(UndecodableEventError, match=r"This is no CloudEvent 1\.0"):
        decode_event(body)


def test_passes_over_what_it_does_not_know_in_an_envelope() -> None:
    event = decode_event(as_json(subject="a stranger's", dataschema="https://example.com"))
    assert (event.id, event.source, event.type, event.time) == ("1", "/tests", "thing.happened", UNSET)


def test_states_a_fact_in_the_form_of_cloudevents() -> None:
    written = json.loads(encode_event(new_event("thing.happened", "/tests", Thing("ñandú 🦤"), at=AT)))
    assert written.pop("id")
    assert written == {
        "specversion": "1.0",
        "source": "/tests",
        "type": "thing.happened",
        "time": "2026-01-02T03:04:05.678000Z",
        "datacontenttype": "application/json",
        "data": {"name": "ñandú 🦤"},
    }


def test_tells_what_stands_around_the_id_and_the_data() -> None:
    event = new_event("thing.happened", "/tests", Thing("ñandú 🦤"), at=AT)
    before_id, before_data, after = envelope_parts("thing.happened", "/tests", at=AT)

    assert f"{before_id}{event.id}{before_data}{bytes(event.data).decode()}{after}".encode() == encode_event(event)


def test_gives_every_event_an_id_of_its_own() -> None:
    assert len({new_event("thing.happened", "/tests", Thing("one"), at=AT).id for _ in range(100)}) == 100


def test_names_the_running_span_as_the_cause() -> None:
    with TracerProvider().get_tracer("tests").start_as_current_span("request") as span:
        event = new_event("thing.happened", "/tests", Thing("one"), at=AT)
    assert f"{span.get_span_context().trace_id:032x}" in str(event.traceparent)


def test_names_no_cause_outside_of_a_span() -> None:
    assert new_event("thing.happened", "/tests", Thing("one"), at=AT).traceparent is UNSET


def test_reads_data_into_a_class_that_knows_less() -> None:
    event = decode_event(as_json(data={"name": "ñ", "colour": "red", "sizes": [1, 2]}))
    assert read_data(event, Thing) == Thing("ñ")


@pytest.mark.parametrize("data", [{}, {"name": 1}, {"name": None}, [], "one", 1])
def test_refuses_data_that_lacks_what_the_class_needs(data: object) -> None:
    with pytest.raises(UndecodableEventError, match=r"The data of thing\.happened cannot be read"):
        read_data(decode_event(as_json(data=data)), Thing)


def test_refuses_data_that_is_no_utf8() -> None:
    event = decode_event(as_json().replace(b"one", b"\xe9"))
    with pytest.raises(UndecodableEventError):
        read_data(event, Thing)


def test_takes_the_same_id_of_two_sources_for_two_events() -> None:
    identities = {decode_event(as_json(source=source, id=of)).identity for source, of in [("a", "bc"), ("ab", "c")]}
    assert len(identities) == 2


def test_identifies_an_event_in_sixteen_bytes_however_long_its_id_is() -> None:
    assert len(decode_event(as_json(id="x" * 1_000_000)).identity) == 16
