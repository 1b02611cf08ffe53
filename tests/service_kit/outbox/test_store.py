from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service_kit.outbox.store import MAX_ATTEMPTS, PARKED_UNTIL, OutboxEntry, backoff_seconds, due_after_refusal

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ENTRY = OutboxEntry("1", "owner", "thing.happened", b"{}", NOW, "lease")


@pytest.mark.parametrize(("refusals", "seconds"), [(1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (1000, 300)])
def test_waits_twice_as_long_after_each_refusal_up_to_five_minutes(refusals: int, seconds: int) -> None:
    waits = [backoff_seconds(refusals) for _ in range(100)]
    assert seconds <= min(waits)
    assert max(waits) <= seconds * 1.1


def test_scatters_the_waits_so_that_replicas_do_not_march_in_step() -> None:
    assert len({backoff_seconds(5) for _ in range(100)}) > 90


def test_makes_a_refused_entry_due_after_its_wait() -> None:
    due_at = due_after_refusal(replace(ENTRY, attempts=2), NOW)
    assert timedelta(seconds=4) <= due_at - NOW <= timedelta(seconds=4.4)


def test_parks_an_entry_after_about_an_hour_of_refusals() -> None:
    waits = sum(backoff_seconds(refusals) for refusals in range(1, MAX_ATTEMPTS))
    assert 40 * 60 < waits < 70 * 60
    assert due_after_refusal(replace(ENTRY, attempts=MAX_ATTEMPTS - 2), NOW) < PARKED_UNTIL
    assert due_after_refusal(replace(ENTRY, attempts=MAX_ATTEMPTS - 1), NOW) == PARKED_UNTIL
