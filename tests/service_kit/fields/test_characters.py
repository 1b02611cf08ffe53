import re
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import StringConstraints, TypeAdapter, ValidationError

from service_kit.fields.characters import BLANK, IGNORABLE, SHAPED, VISIBLE, text_without, visible_text_without

TEXT = text_without(r"\x00")
SHOWN = visible_text_without(r"\x00", among=r"\n")
CHARACTERS = [chr(point) for point in (*range(0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xF0000))]

PERSIAN, MALAYALAM, MONGOLIAN = "سلی\u200cم", "രമണന\u0d4d\u200d", "ᠮᠣᠩᠭᠣᠯ\u180eᠠ"
VARIANTS = ["葛\U000e0100城", "\u2764\ufe0f", "\xa9\ufe0f", "1\ufe0f\u20e3"]
EMOJI = ["👩\u200d🚀", "\u2764\ufe0f\u200d🔥", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"]
MEANINGFUL = [PERSIAN, MALAYALAM, MONGOLIAN, *VARIANTS, *EMOJI]
MEANINGLESS = [
    *("a\u200db", "a\ufe0f", "a\u034f", "ж\u200c", "ế\ufe0f", "a\xad", "a\u3164", "a\u115f", "a\u200b", "a\u202eb"),
    *("\u200d", "\ufe0f", "علی\u200c\u200c", "👩\ufe0f\ufe0f", "1\ufe0f", "🏴\U000e0067", "a\U000e0067\U000e007f"),
]


def matches(pattern: str, text: str) -> bool:
    """By Rust's engine, which knows the properties of Unicode."""
    try:
        TypeAdapter(Annotated[str, StringConstraints(pattern=f"^(?:{pattern})$")]).validate_python(text)
    except ValidationError:
        return False
    return True


def test_the_ignorable_ones_are_those_of_unicode() -> None:
    ours = re.findall(f"[{IGNORABLE}]", "".join(CHARACTERS))

    assert matches(r"\p{Default_Ignorable_Code_Point}*", "".join(ours))
    assert matches(r"\P{Default_Ignorable_Code_Point}*", "".join(sorted(set(CHARACTERS) - set(ours))))


@pytest.mark.parametrize("text", ["", "Ana", "a\u0301", "李小龍 🐦", *MEANINGFUL])
def test_a_text_may_hold_what_carries_a_meaning(text: str) -> None:
    assert matches(TEXT, text)
    assert matches(SHOWN, text) is (text != "")


@pytest.mark.parametrize("text", MEANINGLESS, ids=ascii)
def test_a_text_may_not_hold_what_nobody_sees(text: str) -> None:
    assert not matches(TEXT, text)
    assert not matches(SHOWN, text)


@pytest.mark.parametrize("text", ["", " ", "\n\xa0\u3000", "\u2800"], ids=ascii)
def test_blanks_show_nothing(text: str) -> None:
    assert matches(TEXT, text)
    assert not matches(SHOWN, text)


@pytest.mark.parametrize("pattern", [TEXT, SHOWN, VISIBLE, SHAPED, f"[{BLANK}]"])
@given(text=st.lists(st.characters() | st.sampled_from([*"ab1 \n", *"".join(MEANINGFUL)]), max_size=6).map("".join))
def test_rust_and_python_read_the_patterns_alike(pattern: str, text: str) -> None:
    assert matches(pattern, text) is bool(re.fullmatch(pattern, text))
