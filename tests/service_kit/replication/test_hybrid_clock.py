from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.messaging.events import UndecodableEventError
from service_kit.replication.hybrid_clock import (
    MAX_AHEAD,
    HybridClock,
    RowTooFarAheadError,
    StampText,
    StampTooFarAheadError,
    stamp_in,
    stamp_text,
    wall_instant,
)
from service_kit.testing.fakes import FakeClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

stamps = st.integers(0, 2**63 - 1)
steps = st.lists(st.one_of(st.none(), st.timedeltas(timedelta(hours=-1), timedelta(hours=1)), stamps))


def _clocks() -> tuple[FakeClock, HybridClock]:
    wall = FakeClock(NOON)
    return wall, HybridClock(node=2, clock=wall)


def test_stamps_carry_time_counter_and_node() -> None:
    _, clock = _clocks()
    noon_ms = int(NOON.timestamp()) * 1000
    assert [clock.tick(), clock.tick()] == [noon_ms << 21 | 2, noon_ms << 21 | 1 << 8 | 2]


def test_starts_the_counter_again_with_each_millisecond() -> None:
    wall, clock = _clocks()
    clock.tick()
    wall.advance(timedelta(milliseconds=1))
    assert clock.tick() >> 8 & 0x1FFF == 0


def test_carries_a_full_counter_into_the_milliseconds() -> None:
    _, clock = _clocks()
    last = [clock.tick() for _ in range(2**13 + 1)][-1]
    assert wall_instant(last) == NOON + timedelta(milliseconds=1)


def test_goes_on_when_the_wall_clock_goes_back() -> None:
    wall, clock = _clocks()
    before = clock.tick()
    wall.advance(timedelta(hours=-1))
    assert clock.tick() > before


@pytest.mark.parametrize("node", [1, 2, 3])
def test_is_later_than_a_foreign_stamp_that_is_ahead(node: int) -> None:
    wall, clock = _clocks()
    foreign = HybridClock(node, FakeClock(wall() + timedelta(hours=1))).tick()
    clock.observe(foreign)
    assert clock.tick() > foreign
    assert wall_instant(clock.tick()) == wall() + timedelta(hours=1)


@given(steps)
def test_each_stamp_is_later_than_all_it_gave_and_was_told(told: list[timedelta | int | None]) -> None:
    wall, clock = _clocks()
    latest = 0
    for step in told:
        if isinstance(step, timedelta):
            wall.advance(step)
        after = step % (clock.limit // 2) if isinstance(step, int) else 0
        stamp = clock.tick(after=after)
        assert stamp > max(latest, after)
        assert stamp & 0xFF == 2
        latest = stamp


def test_takes_what_is_a_day_ahead_and_nothing_later() -> None:
    _, clock = _clocks()
    allowed = HybridClock(1, FakeClock(NOON + MAX_AHEAD)).tick()
    assert [clock.is_too_far(stamp) for stamp in (allowed, clock.limit - 1, clock.limit)] == [False, False, True]
    clock.observe(allowed)
    assert clock.tick() > allowed


def test_refuses_to_stamp_after_what_is_too_far_ahead_and_does_not_follow_it() -> None:
    _, clock = _clocks()
    absurd = HybridClock(1, FakeClock(NOON + timedelta(days=400))).tick()
    with pytest.raises(RowTooFarAheadError, match="at 2027-02-05") as refusal:
        clock.tick(after=absurd)
    assert refusal.value.status == 503
    assert wall_instant(clock.tick()) == NOON


def test_forgets_what_it_gave_while_the_wall_clock_was_far_ahead() -> None:
    wall, clock = _clocks()
    wall.advance(timedelta(days=400))
    clock.tick()
    wall.advance(-timedelta(days=400))
    assert wall_instant(clock.tick()) == NOON


def test_refuses_a_foreign_stamp_too_far_ahead_and_does_not_follow_it() -> None:
    _, clock = _clocks()
    absurd = HybridClock(1, FakeClock(NOON + timedelta(days=400))).tick()
    with pytest.raises(StampTooFarAheadError) as refusal:
        clock.observe(absurd)
    assert isinstance(refusal.value, UndecodableEventError)
    assert clock.tick() < absurd


@pytest.mark.parametrize("stamp", [2**63 - 1, 0])
def test_every_stamp_has_an_instant(stamp: int) -> None:
    assert wall_instant(stamp).tzinfo is UTC


@pytest.mark.parametrize("node", [0, 256])
def test_refuses_a_node_that_does_not_fit(node: int) -> None:
    with pytest.raises(ValueError, match="1 to 255"):
        HybridClock(node, FakeClock())


@given(stamps, stamps)
def test_text_says_the_stamp_and_sorts_like_it(one: int, other: int) -> None:
    assert stamp_in(msgspec.convert(stamp_text(one), StampText)) == one
    assert (stamp_text(one) < stamp_text(other)) == (one < other)


@pytest.mark.parametrize("text", ["", "1", "8000000000000000", "00000000000000AB", "0x00000000000001", "0" * 16 + "\n"])
def test_refuses_text_that_is_no_stamp(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, StampText)
