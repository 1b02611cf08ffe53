import pytest
from pydantic import TypeAdapter, ValidationError

from service_kit.fields.currency import CurrencyCode

CURRENCY: TypeAdapter[str] = TypeAdapter(CurrencyCode)


@pytest.mark.parametrize("code", ["EUR", "USD", "JPY", "BHD", "XOF"])
def test_takes_the_codes_that_people_pay_with(code: str) -> None:
    assert CURRENCY.validate_python(code) == code


@pytest.mark.parametrize("code", ["eur", "EURO", "", "ZZZ", "XXX", "XTS", "XAU", 978, None])
def test_refuses_anything_else(code: object) -> None:
    with pytest.raises(ValidationError):
        CURRENCY.validate_python(code)


def test_lists_in_its_json_schema_exactly_what_it_takes() -> None:
    listed = CURRENCY.json_schema()["enum"]

    assert [CURRENCY.validate_python(code) for code in listed] == listed
    assert len(listed) > 150
