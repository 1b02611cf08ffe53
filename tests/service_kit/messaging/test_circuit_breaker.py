import pytest
from structlog.testing import capture_logs

from service_kit.messaging.circuit_breaker import CircuitBreaker
from service_kit.rabbit.topology import QueueTopology


def failing(times: int, breaker: CircuitBreaker | None = None) -> CircuitBreaker:
    breaker = breaker or CircuitBreaker()
    for _ in range(times):
        breaker.record(ok=False)
    return breaker


def test_goes_on_at_full_speed_while_failures_are_few() -> None:
    assert not failing(19).is_open


def test_slows_down_after_many_failures_in_a_row() -> None:
    assert failing(20).is_open


def test_counts_only_failures_in_a_row() -> None:
    breaker = failing(19)
    breaker.record(ok=True)
    assert not failing(19, breaker).is_open


def test_is_at_full_speed_again_after_one_success() -> None:
    breaker = failing(50)
    breaker.record(ok=True)
    assert not breaker.is_open


def test_is_not_slowed_down_by_one_bad_message_in_a_quiet_queue() -> None:
    tries_of_one_message = len(QueueTopology("any", topics=()).retry_seconds) + 1
    assert not failing(tries_of_one_message).is_open


@pytest.mark.parametrize(("failures", "seconds"), [(20, 1), (21, 2), (23, 8), (25, 30), (10_000, 30)])
def test_pauses_longer_and_longer_up_to_half_a_minute(failures: int, seconds: int) -> None:
    assert failing(failures).delay_seconds == seconds


def test_tells_of_each_change_once() -> None:
    with capture_logs() as logs:
        breaker = failing(30)
        breaker.record(ok=True)
        breaker.record(ok=True)
    assert [line["event"] for line in logs] == ["every_message_fails", "messages_succeed_again"]
