"""Country codes: the two letters of ISO 3166-1."""

from typing import Annotated, Any, Final

import pycountry
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from service_kit.fields.text import with_message

COUNTRIES: Final = sorted(country.alpha_2 for country in pycountry.countries)


class _Known:
    """Validates in pydantic-core; pydantic-extra-types' type is slower, and also accepts lower case."""

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's signature
        return with_message(
            "A country is two capital letters of ISO 3166-1, like ES", core_schema.literal_schema(COUNTRIES)
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "enum": COUNTRIES, "examples": ["ES"]}


CountryCode = Annotated[str, _Known()]
