"""Names of people: whatever shows something on one line, and nothing that shows nothing."""

from typing import Annotated, Final

from pydantic import Field

from service_kit.fields.characters import visible_text_without
from service_kit.fields.text import Normalized, TextPattern

_BREAKS: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029"

PersonName = Annotated[
    str,
    Field(max_length=100, description="Blanks around it are cut off."),
    TextPattern(
        rf"^{visible_text_without(_BREAKS)}$",
        "Write at least one visible character, and no line breaks, tabs or invisible characters",
        stored=rf"[^{_BREAKS}]+",
    ),
    Normalized(strip_whitespace=True),
]
