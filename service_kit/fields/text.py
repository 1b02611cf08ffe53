r"""Text that has to match a pattern, with a sentence as its error message.

The message of pydantic's own `pattern` is the pattern, which helps few people. Our patterns list their characters,
because `\s` is another set in Rust and in the JavaScript of JSON schema. Rust's engine matches them in a fifth of the
time of a call to Python, so they have neither look-around nor back references.
"""

import re
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

COPIED: Final = {"is_copied": True}
"""The validation context of values that another copy has stored, perhaps before a rule became stricter."""


def is_copied(info: ValidationInfo) -> bool:
    """Whether the value comes from another copy, and not from a caller."""
    return info.context is COPIED


def with_message(sentence: str, schema: CoreSchema) -> CoreSchema:
    """A schema with the same message for all of its errors."""
    return core_schema.custom_error_schema(
        schema, custom_error_type="value_error", custom_error_context={"error": ValueError(sentence)}
    )


class Normalized:
    """Annotates a string: `Normalized(strip_whitespace=True)` changes it after all annotations before it.

    Like pydantic's `StringConstraints`, which after a `TextPattern` would call Python for each string.
    """

    def __init__(self, *, strip_whitespace: bool = False, to_upper: bool = False) -> None:
        self._rewrite = core_schema.str_schema(strip_whitespace=strip_whitespace, to_upper=to_upper)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's signature
        return core_schema.chain_schema([handler(source), self._rewrite])


class TextPattern:
    """Annotates a string: `Annotated[str, TextPattern(r"^[a-z]+$", "Write it in small letters")]`.

    Args:
        pattern: What a caller may send.
        sentence: The message for everything else.
        stored: A pattern of what earlier releases have accepted too; `COPIED` values may still match only this one.
    """

    def __init__(self, pattern: str, sentence: str, *, stored: str | None = None) -> None:
        self.pattern = pattern
        self._sentence = sentence
        self._stored = stored

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's signature
        spelled: CoreSchema = core_schema.str_schema(pattern=self.pattern)
        if self._stored:
            stored = core_schema.with_info_plain_validator_function(self._take_stored)
            spelled = core_schema.union_schema([spelled, stored], mode="left_to_right")
        return core_schema.chain_schema([handler(source), with_message(self._sentence, spelled)])

    def _take_stored(self, text: str, info: ValidationInfo) -> str:
        if self._stored is None or not is_copied(info) or not re.fullmatch(self._stored, text):
            raise ValueError(self._sentence)
        return text

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern}
