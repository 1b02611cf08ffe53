"""The one kind of error that a person at the terminal gets to read."""


class StackError(Exception):
    """A sentence that says what stops us and what to do; the command line prints it and ends with status 1."""
