"""Rows as `application/json`: one array, whose elements are returned as soon as they are complete.

msgspec finds all elements of a piece at once, which takes a millisecond for 7,000. If that fails, because elements are
not objects or a piece ends in a text with a brace, Python's own parser finds them one after the other.
"""

import json
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from passengers_service.services.bulk.parsers import JsonParser
from passengers_service.services.bulk.reader import BOM, require_short
from service_kit.problems import MalformedRequestError

_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ELEMENT: Final = json.JSONDecoder(parse_int=str, parse_float=str)
_BLANKS: Final = b" \t\r\n"
_COMMA_OR_END: Final = re.compile(r"[ \t\r\n]*(?:,[ \t\r\n]*|(?=]))")
_AS_IT_IS: Final = "surrogateescape"
"""Bytes that are not UTF-8 are kept, and refused by the parser of the row."""

_BEFORE, _AT_FIRST, _AT_NEXT, _BETWEEN, _AFTER = range(5)
"""The position: before the array, where its first element or its end may follow, where an element must follow, …"""
_STEPS: Final = {
    (_BEFORE, b"["): _AT_FIRST,
    (_AT_FIRST, b"]"): _AFTER,
    (_BETWEEN, b","): _AT_NEXT,
    (_BETWEEN, b"]"): _AFTER,
}

_Row = bytes | msgspec.Raw


class JsonArrayReader:
    """Cuts one array; it keeps only the row that is not complete yet."""

    parser = JsonParser("A row is one JSON object")

    def __init__(self) -> None:
        self._rest = b""
        self._place = _BEFORE

    def feed(self, piece: bytes) -> list[_Row]:
        """The elements that end in this piece."""
        self._rest += piece
        rows: list[_Row] = []
        while self._goes_on(rows):
            pass
        require_short(self._rest)
        return rows

    def end(self) -> list[_Row]:
        """No element: all have ended before the end of the array."""
        if self._place != _AFTER:
            raise _no_array()
        return []

    def _goes_on(self, rows: list[_Row]) -> bool:
        """Consume a sign or some elements; False if more of the body is needed."""
        self._rest = self._rest.lstrip(_BLANKS)
        if self._place == _BEFORE and not BOM.startswith(self._rest):
            self._rest = self._rest.removeprefix(BOM)
        if (step := _STEPS.get((self._place, self._rest[:1]))) is not None:
            self._place, self._rest = step, self._rest[1:]
            return True
        if self._rest and self._place not in {_AT_FIRST, _AT_NEXT} and not BOM.startswith(self._rest):
            raise _no_array()
        if found := self._elements() if self._rest else []:
            require_short(max(map(bytes, found), key=len))
            self._place = _BETWEEN
            rows += found
        return bool(found)

    def _elements(self) -> Sequence[_Row]:
        """The elements up to the last brace, which are certainly complete."""
        end = self._rest.rfind(b"}") + 1
        try:
            rows: Sequence[_Row] = _ELEMENTS.decode(b"[%b]" % self._rest[:end])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            rows = []
        if not rows:
            return self._one_by_one()
        self._rest = self._rest[end:]
        return rows

    def _one_by_one(self) -> Sequence[_Row]:
        """The elements that are followed by a comma or the end of the array."""
        text = self._rest.decode(errors=_AS_IT_IS)
        rows: list[_Row] = []
        start = end = 0
        try:
            while sign := _COMMA_OR_END.match(text, _ELEMENT.raw_decode(text, start)[1]):
                end = sign.start()
                rows.append(text[start:end].encode(errors=_AS_IT_IS))
                start = sign.end()  # no element begins with the end of the array
        except RecursionError:
            raise _no_array() from None
        except ValueError:
            pass  # it continues in the next piece; at the end of the body `end` reports it
        self._rest = text[end:].encode(errors=_AS_IT_IS)
        return rows


def _no_array() -> MalformedRequestError:
    return MalformedRequestError("The body is not one whole JSON array of objects. Send [{…}, {…}].")
