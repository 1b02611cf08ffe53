"""What a caller may make of a reservation, and what not."""

import pytest

from reservations_service.models.status import IllegalStatusError, ReservationStatus, require_legal

PENDING, CONFIRMED, CANCELLED, EXPIRED = ReservationStatus
LEGAL = {(PENDING, CONFIRMED), (PENDING, CANCELLED), (CONFIRMED, CANCELLED)}
EVERY_WAY = [(current, wished) for current in ReservationStatus for wished in ReservationStatus]


@pytest.mark.parametrize(("current", "wished"), [way for way in EVERY_WAY if way in LEGAL or way[0] == way[1]])
def test_lets_a_legal_change_pass(current: ReservationStatus, wished: ReservationStatus) -> None:
    require_legal(current, wished)


@pytest.mark.parametrize(("current", "wished"), [way for way in EVERY_WAY if way not in LEGAL and way[0] != way[1]])
def test_refuses_every_other_change(current: ReservationStatus, wished: ReservationStatus) -> None:
    with pytest.raises(IllegalStatusError):
        require_legal(current, wished)


@pytest.mark.parametrize(
    ("current", "sentence", "legal"),
    [
        (
            PENDING,
            "This reservation is pending: it can only become confirmed or cancelled.",
            ["confirmed", "cancelled"],
        ),
        (CONFIRMED, "This reservation is confirmed: it can only become cancelled.", ["cancelled"]),
        (EXPIRED, "This reservation is expired: it can no longer be changed.", []),
    ],
)
def test_names_the_legal_ones(current: ReservationStatus, sentence: str, legal: list[str]) -> None:
    error = IllegalStatusError(current)

    assert (error.detail, error.extensions["legal"]) == (sentence, legal)
