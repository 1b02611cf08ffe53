import pytest
from pydantic import TypeAdapter, ValidationError

from reservations_service.models.code import ALPHABET, Code, draw_code

CODES = TypeAdapter(Code)


def test_draws_codes_that_it_takes() -> None:
    for _ in range(1000):
        CODES.validate_python(draw_code())


def test_uses_every_sign_and_hardly_ever_draws_one_twice() -> None:
    drawn = [draw_code() for _ in range(2000)]

    assert set("".join(drawn)) == set(ALPHABET)
    assert len(set(drawn)) >= 1999
    assert set("0O1I").isdisjoint(ALPHABET)


@pytest.mark.parametrize("text", ["", "K7QX2", "K7QX2MM", "k7qx2m", "K7QX20", "K7QX2O", "K7QX2M\n", "K7QX2\0"])
def test_refuses_what_is_none(text: str) -> None:
    with pytest.raises(ValidationError, match="A code has six signs"):
        CODES.validate_python(text)
