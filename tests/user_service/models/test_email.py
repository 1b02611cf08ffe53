import re
import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from service_kit.fields.email import email_key, email_key_prefix, same_letters
from user_service.models.email import EmailAddress

ADDRESS: TypeAdapter[str] = TypeAdapter(EmailAddress)
SCHEMA = ADDRESS.json_schema()
INVISIBLE = "\ufe0f\u034f\u115f\u1160\u3164\uffa0\u180b\u17b4\u2800\U000e0100"

local_parts = st.text(st.sampled_from("aZ9._+-ñÑéßẞςΣσ世😀"), min_size=1, max_size=20).filter(
    lambda text: re.fullmatch(r"[^.]+(\.[^.]+)*", text) is not None
)
addresses = st.builds("{}@{}".format, local_parts, st.sampled_from(["example.com", "ñandú.com.ar", "Example.ORG"]))


@pytest.mark.parametrize(
    "address", ["Ana@Example.COM", "ñ@ñandú.com.ar", "😀@example.com", "用户@例子.广告", "a@xn--espaa-rta.es"]
)
def test_keeps_an_address_as_it_was_given(address: str) -> None:
    assert ADDRESS.validate_python(address) == address


@pytest.mark.parametrize(
    "text",
    [
        *[f"an{invisible}a@example.com" for invisible in INVISIBLE],
        *[f"ana@exam{invisible}ple.com" for invisible in INVISIBLE],
        *("", "ana", "ana@", "@example.com", "ana@example", "ana@exa mple.com", "a\0b@example.com", "ana@example.test"),
        *(" ana@example.com", "ana@example.com\n", "Ana <ana@example.com>", "<ana@example.com>"),
        *('"ana"@example.com', "ana@[127.0.0.1]", "ana@127.0.0.1", "ana@localhost", "a" * 243 + "@example.com"),
    ],
)
def test_refuses_what_no_mail_reaches(text: str) -> None:
    with pytest.raises(ValidationError):
        ADDRESS.validate_python(text)


def test_names_the_character_that_nobody_sees() -> None:
    with pytest.raises(ValidationError, match=r"Leave the invisible character U\+FE0F out of the address"):
        ADDRESS.validate_python("an\ufe0fa@example.com")


def test_takes_254_bytes_and_no_more() -> None:
    longest = "a" * 242 + "@example.com"

    assert ADDRESS.validate_python(longest) == longest
    with pytest.raises(ValidationError):
        ADDRESS.validate_python("ñ" + longest[1:])


@given(addresses)
def test_the_schema_excludes_no_address_that_is_taken(address: str) -> None:
    assert ADDRESS.validate_python(address) == address
    assert not re.search(SCHEMA["not"]["pattern"], address)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ana@example.com", "ANA@EXAMPLE.COM"),
        ("ñandú@example.com", "ÑANDÚ@example.com"),
        ("jose\N{COMBINING ACUTE ACCENT}@example.com", "JOSÉ@example.com"),
        ("ana@ñandú.com.ar", "Ana@xn--and-6ma2c.com.ar"),
        ("οδος@example.com", "ΟΔΟΣ@example.com"),
        ("ana@example.com", "\uff41\uff2e\uff41@example.com"),
        ("ana@example.com", "ana@\uff45xample.com"),
        ("office@example.com", "o\ufb03ce@example.com"),
        ("ana.b@example.com", "ana\uff0eb@example.com"),
        *[("ana@example.com", f"an{invisible}a@example.com") for invisible in INVISIBLE],
    ],
)
def test_two_spellings_of_an_address_have_one_key(one: str, other: str) -> None:
    assert email_key(one) == email_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("ana@example.com", "ana@example.org"), ("ana@straße.de", "ana@strasse.de")]
)
def test_two_addresses_have_two_keys(one: str, other: str) -> None:
    assert email_key(one) != email_key(other)


@given(addresses, st.integers(0, 40))
def test_what_an_address_begins_with_finds_it(address: str, length: int) -> None:
    assert email_key(address).startswith(email_key_prefix(address[:length]))


@given(st.text(max_size=10))
def test_letters_are_the_same_in_every_form_of_unicode(text: str) -> None:
    forms: list[Literal["NFC", "NFD", "NFKC", "NFKD"]] = ["NFC", "NFD", "NFKC", "NFKD"]

    assert {same_letters(unicodedata.normalize(form, text)) for form in forms} == {same_letters(text)}
    assert same_letters(same_letters(text)) == same_letters(text)
