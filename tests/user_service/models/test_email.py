import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from user_service.models.email import EmailAddress, email_key, email_key_prefix

ADDRESS: TypeAdapter[str] = TypeAdapter(EmailAddress)
SCHEMA = ADDRESS.json_schema()

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
        *("", "ana", "ana@", "@example.com", "ana@example", "ana@exa mple.com", "a\0b@example.com", "ana@example.test"),
        *(" ana@example.com", "ana@example.com\n", "Ana <ana@example.com>", "<ana@example.com>"),
        *('"ana"@example.com', "ana@[127.0.0.1]", "ana@127.0.0.1", "ana@localhost", "a" * 243 + "@example.com"),
    ],
)
def test_refuses_what_no_mail_reaches(text: str) -> None:
    with pytest.raises(ValidationError):
        ADDRESS.validate_python(text)


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
