import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter, ValidationError

from service_kit.fields.password import Password

PASSWORD: TypeAdapter[SecretStr] = TypeAdapter(Password)
SCHEMA = jsonschema_rs.validator_for(PASSWORD.json_schema())

mixed = st.text(st.sampled_from("aZ ~\x01ñ\u07ff\u0800世\ufffd😀\U0010ffff"), min_size=1, max_size=80)


@pytest.mark.parametrize(
    "password", ["12345678", "a" * 72, "ñ" * 36, "世" * 24, "😀" * 18, "contraseña 🔑", "        "]
)
def test_takes_8_characters_to_72_bytes(password: str) -> None:
    assert PASSWORD.validate_python(password).get_secret_value() == password
    assert SCHEMA.is_valid(password)


@pytest.mark.parametrize(
    "password", ["", "1234567", "😀" * 7, "a" * 73, "ñ" * 37, "世" * 25, "😀" * 19, "a" * 71 + "ñ", "1234\x005678"]
)
def test_refuses_every_other_password_without_quoting_it(password: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        PASSWORD.validate_python(password)

    assert all(password not in mistake["msg"] for mistake in refusal.value.errors() if password)


@pytest.mark.parametrize("value", [12345678, None, ["12345678"], True])
def test_takes_text_alone(value: object) -> None:
    with pytest.raises(ValidationError):
        PASSWORD.validate_python(value)


@given(mixed)
def test_promises_whatever_it_takes(password: str) -> None:
    try:
        PASSWORD.validate_python(password)
    except ValidationError:
        return
    assert SCHEMA.is_valid(password)


@given(st.text(st.characters(max_codepoint=0x7F, exclude_characters="\0"), min_size=8, max_size=72))
def test_takes_every_password_of_ascii_that_it_promises(password: str) -> None:
    assert SCHEMA.is_valid(password)
    assert PASSWORD.validate_python(password).get_secret_value() == password


def test_is_not_shown_by_its_repr() -> None:
    assert "12345678" not in repr(PASSWORD.validate_python("12345678"))
