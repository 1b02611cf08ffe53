import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from service_kit.fields.email import _SIMPLE, EmailAddress, QuickEmailAddress

WHOLE: TypeAdapter[str] = TypeAdapter(EmailAddress)
QUICK: TypeAdapter[str] = TypeAdapter(QuickEmailAddress)

texts = st.text(st.sampled_from("aZ9._+-@ñ😀 <>\0\n") | st.characters(), max_size=30)
lookalikes = st.builds("{}@{}.{}".format, texts, texts, st.sampled_from(["com", "es", "test", "local", "c1", "museum"]))


def takes(adapter: TypeAdapter[str], text: str) -> bool:
    try:
        return adapter.validate_python(text) == text
    except ValidationError:
        return False


@given(st.from_regex(_SIMPLE, fullmatch=True, alphabet=string.printable))
def test_the_whole_check_takes_every_address_that_is_taken_at_once(address: str) -> None:
    assert takes(WHOLE, address)


@given(texts | lookalikes)
def test_both_take_the_same_addresses(text: str) -> None:
    assert takes(QUICK, text) == takes(WHOLE, text)


@pytest.mark.parametrize("address", ["Ana@Example.COM", "ñ@ñandú.com.ar", "用户@例子.广告", "a@b.museum"])
def test_takes_an_address_as_it_was_sent_also_one_that_is_not_simple(address: str) -> None:
    assert QUICK.validate_python(address) == address


@pytest.mark.parametrize("text", ["", "ana", "ana@localhost", "Ana <ana@example.com>", "ana@example.com\n", "a\0@b.es"])
def test_tells_by_one_sentence_what_an_address_is(text: str) -> None:
    with pytest.raises(ValidationError, match="Write an address that mail can reach") as refusal:
        QUICK.validate_python(text)

    assert refusal.value.error_count() == 1


def test_shows_both_in_the_same_words() -> None:
    assert QUICK.json_schema() == WHOLE.json_schema()
    assert not re.search(WHOLE.json_schema()["not"]["pattern"], "ana@example.com")
