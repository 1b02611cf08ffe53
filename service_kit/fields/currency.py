"""Currency codes: those of ISO 4217 for money, without its metals, bonds and test codes."""

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_extra_types.currency_code import Currency


def _known(code: str) -> str:
    if code not in Currency.allowed_currencies:
        raise ValueError("A currency is one of the codes of ISO 4217 in capital letters, like EUR")
    return code


# pydantic-extra-types' own type also accepts lower case, against its JSON schema.
CurrencyCode = Annotated[
    str,
    AfterValidator(_known),
    WithJsonSchema({"type": "string", "enum": sorted(Currency.allowed_currencies), "examples": ["EUR"]}),
]
