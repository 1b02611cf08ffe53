from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from orders_service.services.listing import OrderQuery, conditions_of, first_id_of
from orders_service.services.new_order import new_order_id
from service_kit.pagination import BadCursorError, encode_cursor

instants = st.datetimes(datetime(1970, 1, 2), datetime(2105, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
milliseconds = instants.map(lambda instant: instant.replace(microsecond=instant.microsecond // 1000 * 1000))


def query(**given: object) -> OrderQuery:
    return OrderQuery.model_validate({name: str(value) for name, value in given.items()})


def bound(which: str, instant: datetime, field: str, operator: str) -> Any:  # noqa: ANN401 - whatever is compared
    conditions = conditions_of(query(**{which: instant.isoformat()}))
    [value] = [condition[field][operator] for condition in conditions if field in condition]
    return value


@given(instant=instants, placed_at=milliseconds)
def test_takes_exactly_the_orders_since_an_instant(instant: datetime, placed_at: datetime) -> None:
    assert (placed_at >= bound("created_after", instant, "created_at", "$gte")) == (placed_at >= instant)


@given(instant=instants, placed_at=milliseconds)
def test_takes_exactly_the_orders_before_an_instant(instant: datetime, placed_at: datetime) -> None:
    assert (placed_at < bound("created_before", instant, "created_at", "$lt")) == (placed_at < instant)


@given(instant=milliseconds, nearby_ms=st.integers(-2000, 2000))
def test_leaves_no_order_out_that_the_range_of_ids_does_not_cover(instant: datetime, nearby_ms: int) -> None:
    placed_at = instant + timedelta(milliseconds=nearby_ms)
    order_id = new_order_id(placed_at)

    if placed_at >= instant:
        assert order_id >= bound("created_after", instant, "_id", "$gte")
    else:
        assert order_id < bound("created_before", instant, "_id", "$lt")


@pytest.mark.parametrize(
    "instant",
    [
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59Z",
        "2106-02-07T06:28:16Z",
        "9999-12-31T23:59:59.999999-14:00",
        "9999-12-31T23:59:59.999999Z",
    ],
)
def test_takes_instants_that_neither_an_id_nor_bson_can_carry(instant: str) -> None:
    for which, operator in (("created_after", "$gte"), ("created_before", "$lt")):
        ids, instants = conditions_of(query(**{which: instant}))

        assert isinstance(ids["_id"][operator], ObjectId)
        assert 1970 <= instants["created_at"][operator].year <= 2106


@pytest.mark.parametrize(
    "instant",
    ["2026-11-20T10:00:00Z", "2026-11-20t10:00:00.123z", "2026-11-20 10:00:00+02:00", "2026-11-20T10:00:00-03:30"],
)
def test_reads_the_instants_of_rfc_3339(instant: str) -> None:
    assert query(created_after=instant).created_after == datetime.fromisoformat(instant.upper())


@pytest.mark.parametrize(
    "text", ["1700000000", "0.5", "", "2026-11-20", "2026-11-20T10:00:00", "2026-11-20T10:00:00 02:00", "yesterday"]
)
def test_says_how_an_instant_is_written(text: str) -> None:
    with pytest.raises(ValidationError, match="Write it like 2026-11-20T10:00:00Z"):
        query(created_after=text)


def test_begins_a_seconds_ids_with_the_smallest() -> None:
    instant = datetime(2026, 11, 20, 12, 0, 0, 999_000, timezone(timedelta(hours=2)))

    assert first_id_of(instant) == ObjectId("6b001a200000000000000000")


def test_asks_for_all_filters_together() -> None:
    conditions = conditions_of(query(user_id="ada", status="placed", created_after="2026-11-20T10:00:00Z"))

    assert [*conditions[0], *conditions[1], *conditions[2], *conditions[3]] == [
        "user_id",
        "status",
        "_id",
        "created_at",
    ]


def test_goes_on_after_the_last_order_of_the_page_before() -> None:
    last = ObjectId()

    assert conditions_of(query(cursor=encode_cursor(str(last)))) == [{"_id": {"$lt": last}}]


@pytest.mark.parametrize(
    "cursor", ["", "abc", "zz", encode_cursor("not-an-id"), encode_cursor("66 " * 8), "ñ", "0" * 500]
)
def test_refuses_a_cursor_that_no_page_has_answered(cursor: str) -> None:
    with pytest.raises(BadCursorError):
        conditions_of(query(cursor=cursor))
