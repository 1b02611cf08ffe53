r"""Text that has to be spelled in a certain way, with a sentence for text that is not.

Pydantic's own `pattern` would answer the pattern, which says nothing to most people. The patterns spell their
characters out, because `\s` is another set in Python, in Rust and in the JavaScript of JSON schema.
"""

import re
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

VISIBLE: Final = r"[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]"


class Spelling:
    """Annotates a string: `Annotated[str, Spelling(r"^[a-z]+$", "Write it in small letters")]`."""

    def __init__(self, pattern: str, sentence: str) -> None:
        self.pattern = pattern
        self._compiled = re.compile(pattern)
        self._sentence = sentence

    def _check(self, text: str) -> str:
        if not self._compiled.fullmatch(text):
            raise ValueError(self._sentence)
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's signature
        """Check after everything that stands before it."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Show the pattern."""
        return {**handler(schema), "pattern": self.pattern}
