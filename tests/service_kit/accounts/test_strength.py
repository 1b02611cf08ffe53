import pytest
from pydantic import SecretStr

from service_kit.accounts.strength import WeakPasswordError, require_strength


@pytest.mark.parametrize(
    "password", ["pass1234", "12345678", "qwertyuiop", "Password1", "AnaPena1", "ana@example.com", "aaaaaaaaaaaa"]
)
def test_refuses_what_is_soon_guessed(password: str) -> None:
    with pytest.raises(WeakPasswordError) as caught:
        require_strength(SecretStr(password), "ana@example.com", "Ana Pena")
    assert password not in caught.value.detail


@pytest.mark.parametrize(
    "password", ["correct horse battery staple", "kindly open the gate", "x8#kQ!2v", "ñandú y más café"]
)
def test_takes_what_is_not_whatever_it_is_made_of(password: str) -> None:
    require_strength(SecretStr(password), "ana@example.com", "Ana Pena")


def test_counts_the_owners_own_words_as_known() -> None:
    require_strength(SecretStr("Zebedee Quux"), "ana@example.com")
    with pytest.raises(WeakPasswordError):
        require_strength(SecretStr("zebedeequux"), "zebedee@quux.example", "Zebedee Quux")
