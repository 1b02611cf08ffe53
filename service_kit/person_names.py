"""Names of people: whatever shows something on one line."""

from typing import Annotated, Final

from pydantic import Field

from service_kit.spelling import VISIBLE, Rewritten, Spelling

_NO_CONTROL: Final = r"[^\x00-\x1f\x7f-\x9f]"

PersonName = Annotated[
    str,
    Field(max_length=100, description="Blanks around it are cut off."),
    Spelling(
        rf"^{_NO_CONTROL}*{VISIBLE}{_NO_CONTROL}*$", "Write at least one visible character, and no line breaks or tabs"
    ),
    Rewritten(strip_whitespace=True),
]
