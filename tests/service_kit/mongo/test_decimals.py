from decimal import Decimal
from typing import Annotated

from bson import Decimal128
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from service_kit.fields.money import Money
from service_kit.mongo.decimals import FROM_DECIMAL128

STORED: TypeAdapter[Decimal] = TypeAdapter(Annotated[Money, FROM_DECIMAL128])


@given(st.decimals(0, 9_999_999_999, places=2))
def test_comes_back_from_the_database_as_it_went_there(amount: Decimal) -> None:
    assert STORED.validate_python(Decimal128(amount)) == amount
