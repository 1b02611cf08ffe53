"""Countries: the two letters of ISO 3166-1."""

from typing import Annotated, Any, Final

import pycountry
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from service_kit.fields.text import with_message

COUNTRIES: Final = sorted(country.alpha_2 for country in pycountry.countries)


class _Known:
    """In Rust; the type of pydantic-extra-types calls Python for each value, and takes small letters too."""

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's signature
        """Take nothing but the codes."""
        return with_message(
            "A country is two capital letters of ISO 3166-1, like ES", core_schema.literal_schema(COUNTRIES)
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Show the codes."""
        return {"type": "string", "enum": COUNTRIES, "examples": ["ES"]}


CountryCode = Annotated[str, _Known()]
