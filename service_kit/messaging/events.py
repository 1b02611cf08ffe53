"""Events as CloudEvents 1.0 in structured JSON (cloudevents.io, JSON event format and AMQP binding).

An event states a past fact. Its publisher owns its `data`; each consumer keeps its own tolerant class of it.
"""

from datetime import datetime
from hashlib import blake2b
from random import getrandbits
from typing import Final, Literal, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from service_kit.observability.tracing import current_traceparent

CLOUDEVENTS_JSON: Final = "application/cloudevents+json"


class UndecodableEventError(ValueError):
    """These bytes are not an event that we can read; trying again would not help."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A CloudEvents envelope.

    Attributes:
        id: Unique together with `source`; the same in every delivery of an event.
        source: The service that publishes it: `/orders_service`.
        type: What happened: `order.created`. Also the routing key.
        time: When it happened, aware.
        data: The fact itself as JSON; a consumer reads it later into its own class.
        traceparent: The span that caused it (CloudEvents' distributed tracing extension).
    """

    id: str
    source: str
    type: str
    data: msgspec.Raw
    specversion: Literal["1.0"] = "1.0"
    datacontenttype: str = "application/json"
    time: datetime | UnsetType = UNSET
    traceparent: str | UnsetType = UNSET

    @property
    def identity(self) -> bytes:
        """Sixteen bytes that stand for `source` and `id`, however long a publisher has made these."""
        return blake2b(f"{len(self.source)}:{self.source}{self.id}".encode(), digest_size=16).digest()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)

_HERE: Final = "00000000-here-here-here-000000000000"

Data = TypeVar("Data", bound=msgspec.Struct)


def new_event(event_type: str, source: str, data: msgspec.Struct, *, at: datetime) -> Event:
    """State a fact, with a new id and the running span as its cause."""
    return Event(
        id=str(UUID(int=getrandbits(128), version=4)),  # unique, not secret: `uuid4` would ask the kernel each time
        source=source,
        type=event_type,
        data=msgspec.Raw(_encoder.encode(data)),
        time=at,
        traceparent=_traceparent(),
    )


def _traceparent() -> str | UnsetType:
    return current_traceparent() or UNSET


def encode_event(event: Event) -> bytes:
    """Encode an envelope as JSON."""
    return _encoder.encode(event)


class EnvelopeParts(NamedTuple):
    """The bytes of an encoded event before its id, between id and data, and after the data."""

    before_id: str
    before_data: str
    after: str


def envelope_parts(event_type: str, source: str, *, at: datetime) -> EnvelopeParts:
    """The parts from which a database makes many events itself, each with an id of its own."""
    event = Event(
        id=_HERE, source=source, type=event_type, data=msgspec.Raw(_HERE.encode()), time=at, traceparent=_traceparent()
    )
    return EnvelopeParts(*encode_event(event).decode().split(_HERE))


def decode_event(body: bytes) -> Event:
    """Read an envelope.

    Raises:
        UndecodableEventError: It is not a CloudEvent in JSON.
    """
    try:
        event = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UndecodableEventError(f"This is no CloudEvent 1.0 in JSON: {error}") from error
    if not (event.id and event.source and event.type):
        raise UndecodableEventError("This is no CloudEvent 1.0: id, source and type must not be empty")
    return event


def read_data(event: Event, data_type: type[Data]) -> Data:
    """Read an event's data into the consumer's own class; fields that the class does not have are ignored.

    Raises:
        UndecodableEventError: A field that the class needs is missing or of another type.
    """
    try:
        return msgspec.json.decode(event.data, type=data_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UndecodableEventError(f"The data of {event.type} cannot be read: {error}") from error
