import re
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from service_kit.fields.characters import VISIBLE
from service_kit.fields.text import TextPattern

SMALL: TypeAdapter[str] = TypeAdapter(Annotated[str, TextPattern(r"^[a-z]+$", "Write it in small letters")])


def test_lets_matching_text_through() -> None:
    assert SMALL.validate_python("mug") == "mug"


@pytest.mark.parametrize("text", ["", "Mug", "mug\n", " mug"])
def test_answers_other_text_with_its_sentence(text: str) -> None:
    with pytest.raises(ValidationError, match="Write it in small letters"):
        SMALL.validate_python(text)


def test_shows_its_pattern_in_the_json_schema() -> None:
    assert SMALL.json_schema() == {"type": "string", "pattern": "^[a-z]+$"}


@given(st.characters())
def test_calls_no_character_visible_that_stripping_would_remove(character: str) -> None:
    assert not (re.fullmatch(VISIBLE, character) and character.strip() == "")
