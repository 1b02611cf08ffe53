"""What a field takes, what it makes of it, and which sentence answers the rest."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import islice, pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from service_kit.fields.country import COUNTRIES, CountryCode
from service_kit.fields.email import QuickEmailAddress
from service_kit.fields.person import BirthDate, PersonName, PhoneNumber
from service_kit.fields.text import COPIED
from service_kit.fields.timestamps import QueryTimestamp, ResponseTimestamp
from service_kit.fields.uuid7 import UUID7_PATTERN, ClientId, new_uuid7, uuid7_texts

TYPES: dict[str, TypeAdapter[Any]] = {
    "name": TypeAdapter(PersonName),
    "e-mail": TypeAdapter(QuickEmailAddress),
    "phone": TypeAdapter(PhoneNumber),
    "country": TypeAdapter(CountryCode),
    "birth date": TypeAdapter(BirthDate),
    "instant": TypeAdapter(QueryTimestamp),
    "id": TypeAdapter(ClientId),
}
TODAY = datetime.now(UTC).date()
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("name", " Ana María\N{NO-BREAK SPACE}", "Ana María"),
        ("name", "李小龍 🐦", "李小龍 🐦"),
        *[
            ("name", name, name)
            for name in ("سلی\u200cم", "രമണന\u0d4d\u200d", "葛\U000e0100城", "Ana 👩\u200d🚀", "❤\ufe0f")
        ],
        ("phone", "+34600123456", "+34600123456"),
        ("country", "ES", "ES"),
        ("birth date", "1900-01-01", date(1900, 1, 1)),
        ("birth date", (TODAY - DAY).isoformat(), TODAY - DAY),
        ("birth date", date(1990, 5, 17), date(1990, 5, 17)),
        ("instant", "2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("id", "019A8F3E-7C00-7D4E-9F3A-5B1C2D3E4F50", UUID("019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50")),
        ("id", "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50", UUID("019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50")),
    ],
)
def test_takes(kind: str, text: object, value: object) -> None:
    assert TYPES[kind].validate_python(text) == value


REFUSED: dict[str, list[Any]] = {
    "name": [
        *("Ana\u3164", "A\u200dna", "An\ufe0fa", "\u115f", "\u2800", "Ana\u202e", "A\u2028na"),
        "",
        " ",
        "\N{ZERO WIDTH SPACE}",
        "a\0",
        "a\nb",
        "a" * 101,
        7,
        None,
        "\ud800",
    ],
    "phone": [
        "",
        "600123456",
        "+34 600",
        "+0600123456",
        "+123456",
        "+1234567890123456",
        "+34600123456\n",
        34600123,
    ],
    "country": ["", "es", "XX", "ESP", " ES", "🇪🇸", 34, None, ["ES"]],
    "birth date": [
        *("", "1899-12-31", TODAY.isoformat(), "1990-02-30", "17.05.1990", "1990-05-17T00:00:00", "19900517"),
        *(
            0,
            643507200,
            1.5,
            True,
            None,
            datetime(1990, 5, 17, tzinfo=UTC),
            "1990-05-17\n",
            "\N{FULLWIDTH DIGIT ONE}990-05-17",
        ),
    ],
    "instant": ["", "now", "2026-11-20", "2026-11-20T10:00:00", "1763632800", 1763632800],
    "id": [
        "",
        "x",
        "9f86d081-884c-4d65-9a2f-eaa0c55ad015",
        7,
        "019a8f3e7c007d4e9f3a5b1c2d3e4f50",
        "{019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50}",
    ],
}


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in REFUSED.items() for text in texts], ids=repr
)
def test_refuses_with_one_mistake(kind: str, text: object) -> None:
    with pytest.raises(ValidationError) as refusal:
        TYPES[kind].validate_python(text)

    assert refusal.value.error_count() == 1


@pytest.mark.parametrize(
    ("kind", "text"), [("name", "Ana\u3164"), ("name", "A\u200bna"), ("e-mail", "an\ufe0fa@example.com")], ids=ascii
)
def test_a_copy_may_still_hold_what_was_taken_once(kind: str, text: str) -> None:
    assert TYPES[kind].validate_python(text, context=COPIED) == text


@pytest.mark.parametrize(("kind", "text"), [("name", "A\nna"), ("name", ""), ("e-mail", "ana")], ids=ascii)
def test_a_copy_may_not_hold_what_never_was_taken(kind: str, text: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        TYPES[kind].validate_python(text, context=COPIED)

    assert refusal.value.error_count() == 1


def test_knows_the_countries_of_iso_3166() -> None:
    assert len(COUNTRIES) == 249
    assert all(TYPES["country"].validate_python(code) == code for code in COUNTRIES)


@given(st.dates(date(1900, 1, 1), TODAY - DAY))
def test_promises_every_birth_date_that_it_takes(day: date) -> None:
    assert TYPES["birth date"].validate_python(day.isoformat()) == day
    assert re.search(TYPES["birth date"].json_schema()["pattern"], day.isoformat())


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis wants naive bounds
def test_makes_ids_that_begin_with_their_millisecond(now: datetime) -> None:
    one, other = new_uuid7(now), new_uuid7(now)

    assert one != other
    assert TYPES["id"].validate_python(str(one)) == one
    assert one.int >> 80 == (now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def test_makes_ids_of_one_moment_without_end_in_ascending_order() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    ids = [UUID(one) for one in islice(uuid7_texts(now), 1000)]

    assert all(one < other for one, other in pairwise(ids))
    assert all(TYPES["id"].validate_python(str(one)) == one for one in ids)
    assert {one.int >> 80 for one in ids} == {new_uuid7(now).int >> 80}


def test_shows_a_pattern_that_its_ids_match() -> None:
    assert TYPES["id"].json_schema()["pattern"] == UUID7_PATTERN


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 11, 20, 10, tzinfo=UTC), "2026-11-20T10:00:00Z"),
        (datetime(2026, 11, 20, 10, 0, 0, 123_000, UTC), "2026-11-20T10:00:00.123Z"),
        (datetime(2026, 11, 20, 10, 0, 0, 1, UTC), "2026-11-20T10:00:00.000001Z"),
        (datetime(2026, 11, 20, 12, tzinfo=timezone(timedelta(hours=2))), "2026-11-20T10:00:00Z"),
    ],
)
def test_shows_an_instant_with_the_decimals_that_it_needs(instant: datetime, text: str) -> None:
    assert TypeAdapter(ResponseTimestamp).dump_json(instant).decode() == f'"{text}"'
