"""Text as one line in which nothing moves the cursor, ends the line, or turns the direction of reading."""


def printable(text: str) -> str:
    """The text, with whatever does not print as an escape.

    Callers choose parts of our log lines. With a carriage return, an escape sequence or U+2028 they could otherwise
    write lines of their own.
    """
    if text.isprintable():
        return text
    return "".join([sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text])
