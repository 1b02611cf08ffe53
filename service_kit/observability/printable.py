"""Text as one line in which nothing moves the cursor, ends the line, or turns the direction of reading."""


def printable(text: str) -> str:
    """The text, with whatever does not print as an escape.

    Strangers choose much of what is told of them: with a carriage return, an escape sequence or U+2028 in it they could
    write lines of their own.
    """
    if text.isprintable():
        return text
    return "".join([sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text])
