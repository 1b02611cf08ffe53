"""What the fuzzer has to be told, because no OpenAPI document can say it."""

from typing import Final

ANY_VERSION: Final = '[parameters]\n"header.If-Match" = "*"\n'
"""A tag that the fuzzer makes up names no version: each edit would be 412, as RFC 9110 asks for, and none be tried."""


def may_refuse(operation: str, *statuses: str) -> str:
    """Settings by which an operation may also answer so to what the schema allows."""
    expected = ", ".join(f'"{status}"' for status in ("2xx", "404", "409", *statuses))
    return (
        f'[[operations]]\ninclude-name = "{operation}"\n'
        f"checks.positive_data_acceptance.expected-statuses = [{expected}]\n"
    )
