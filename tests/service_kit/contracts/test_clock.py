"""What every clock must do; the real one and the fake."""

from collections.abc import Callable
from datetime import datetime, timedelta

import bson
import pytest

from service_kit.clock import utc_now
from service_kit.testing.fakes import FakeClock

Clock = Callable[[], datetime]


@pytest.fixture(params=[utc_now, FakeClock()], ids=["real", "fake"])
def clock(request: pytest.FixtureRequest) -> Clock:
    chosen: Clock = request.param
    return chosen


def test_says_the_time_in_utc(clock: Clock) -> None:
    assert clock().utcoffset() == timedelta(0)


def test_says_whole_milliseconds_as_mongodb_keeps_them(clock: Clock) -> None:
    now = clock()
    options = bson.CodecOptions(tz_aware=True)  # type: ignore[var-annotated]  # a dictionary, as always
    assert bson.decode(bson.encode({"at": now}), options) == {"at": now}


def test_never_goes_back(clock: Clock) -> None:
    times = [clock() for _ in range(1000)]
    assert times == sorted(times)
