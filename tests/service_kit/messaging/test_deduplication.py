from service_kit.messaging.deduplication import WINDOW, DeduplicationWindow


def identity(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_remembers_an_event() -> None:
    seen = DeduplicationWindow()
    assert identity(1) not in seen
    seen.add(identity(1))
    assert identity(1) in seen


def test_forgets_the_oldest_over_its_size() -> None:
    seen = DeduplicationWindow(size=3)
    for number in range(5):
        seen.add(identity(number))
    assert [number for number in range(5) if identity(number) in seen] == [2, 3, 4]


def test_keeps_its_size_when_an_event_is_added_twice() -> None:
    seen = DeduplicationWindow(size=2)
    for number in (1, 2, 2, 2):
        seen.add(identity(number))
    assert identity(1) in seen


def test_remembers_a_hundred_thousand() -> None:
    seen = DeduplicationWindow()
    for number in range(WINDOW + 1):
        seen.add(identity(number))
    assert identity(0) not in seen
    assert identity(1) in seen
