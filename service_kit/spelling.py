r"""Text that has to be spelled in a certain way, with a sentence for text that is not.

Pydantic's own `pattern` would answer the pattern, which says nothing to most people. The patterns spell their
characters out, because `\s` is another set in Rust and in the JavaScript of JSON schema. Rust's engine matches them, in
a fifth of the time that a call of Python takes: so they have neither look-around nor back references.
"""

from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

VISIBLE: Final = r"[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]"


def answering(sentence: str, schema: CoreSchema) -> CoreSchema:
    """A schema whose mistakes, whatever they are, are told by one sentence."""
    return core_schema.custom_error_schema(
        schema, custom_error_type="value_error", custom_error_context={"error": ValueError(sentence)}
    )


class Rewritten:
    """Annotates a string: `Rewritten(strip_whitespace=True)` changes it after everything that stands before it.

    As pydantic's `StringConstraints`, which after a `Spelling` would be a call of Python for each string.
    """

    def __init__(self, *, strip_whitespace: bool = False, to_upper: bool = False) -> None:
        self._rewrite = core_schema.str_schema(strip_whitespace=strip_whitespace, to_upper=to_upper)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's signature
        """Rewrite last."""
        return core_schema.chain_schema([handler(source), self._rewrite])


class Spelling:
    """Annotates a string: `Annotated[str, Spelling(r"^[a-z]+$", "Write it in small letters")]`."""

    def __init__(self, pattern: str, sentence: str) -> None:
        self.pattern = pattern
        self._sentence = sentence

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's signature
        """Check after everything that stands before it."""
        spelled = core_schema.str_schema(pattern=self.pattern)
        return core_schema.chain_schema([handler(source), answering(self._sentence, spelled)])

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Show the pattern."""
        return {**handler(schema), "pattern": self.pattern}
