r"""Characters that show nothing: which they are, and where they are meaningful nevertheless.

Parts of patterns for Rust, Python and JavaScript. `\u` takes four digits in all three, so characters beyond U+FFFF are
written as they are.
"""

from typing import Final

IGNORABLE: Final = (
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    r"\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Invisible characters. Source: Default_Ignorable_Code_Point in DerivedCoreProperties.txt of Unicode."""

BLANK: Final = r"\x20\xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000"
"""Characters that only leave a gap; U+2800 is the cell of Braille without a dot."""

_SELECTOR: Final = "[\\u180b-\\u180f\\ufe00-\\ufe0f\U000e0100-\U000e01ef]"
_JOINER: Final = r"[\u200c\u200d]"
_SHAPEABLE: Final = rf"[^\x00-\u058f\u1e00-\u1fff\u2028\u2029{BLANK}{IGNORABLE}]"

SHAPED: Final = (
    rf"(?:{_SHAPEABLE}(?:{_SELECTOR}{_JOINER}?|{_JOINER})"
    r"|[\xa9\xae]\ufe0f|[0-9#*]\ufe0f\u20e3"
    "|\U0001f3f4[\U000e0020-\U000e007e]{1,6}\U000e007f)"
)
"""A visible character with invisible ones that change its shape: joined letters of Persian and the scripts of India,
variants of characters in Chinese, Japanese and Mongolian, emoji of several parts, the flags of Scotland and others.

Not after Latin, Greek and Cyrillic letters, where they would only make two different texts that look the same.
"""

VISIBLE: Final = rf"[^\x00-\x1f\x7f-\x9f\u2028\u2029{BLANK}{IGNORABLE}]"


def text_without(controls: str) -> str:
    r"""The pattern of a text in which every character, or its effect, is visible.

    Args:
        controls: Further characters that it may not contain, as in a character class: `\x00`.
    """
    return rf"(?:[^{controls}{IGNORABLE}]|{SHAPED})*"


def visible_text_without(controls: str, *, among: str = "") -> str:
    """The pattern of such a text with at least one visible character.

    Args:
        controls: Further characters that it may not contain.
        among: Control characters that it may contain, although they show nothing.
    """
    return rf"[{among}{BLANK}]*(?:{VISIBLE}|{SHAPED}){text_without(controls)}"
