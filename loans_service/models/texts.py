"""Texts of one line and of several, in which a reader sees every character."""

from typing import Annotated, Final

from pydantic import Field

from service_kit.fields.characters import text_without, visible_text_without
from service_kit.fields.text import Normalized, TextPattern

_BREAKS: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_CONTROLS: Final = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_SENTENCE: Final = "Write at least one visible character, and no line breaks, tabs or invisible characters"

_VISIBLE: Final = TextPattern(rf"^{visible_text_without(_BREAKS)}$", _SENTENCE)
_STRIPPED: Final = Normalized(strip_whitespace=True)

ExternalId = Annotated[
    str, Field(max_length=64, description="Your own name for it; unique.", examples=["CRM-1041"]), _VISIBLE, _STRIPPED
]
Line = Annotated[str, Field(max_length=200, description="Blanks around it are cut off."), _VISIBLE, _STRIPPED]
Reason = Annotated[str, Field(max_length=500, description="Stays in the history."), _VISIBLE, _STRIPPED]
Notes = Annotated[
    str,
    Field(max_length=2000, description="Lines may end in \\n."),
    TextPattern(rf"^{text_without(_CONTROLS)}$", "Write text without invisible characters"),
]
