"""Chooses the reader of a body by its `Content-Type`."""

from collections.abc import Callable, Mapping
from email.message import Message
from http import HTTPStatus
from typing import Final

from passengers_service.services.bulk.csv_reader import CHARSETS, CsvReader
from passengers_service.services.bulk.json_array import JsonArrayReader
from passengers_service.services.bulk.ndjson_reader import NdjsonReader
from passengers_service.services.bulk.reader import RowReader
from service_kit.problems import ServiceError


class UnknownFormatError(ServiceError):
    """The rows come in no format that a load takes, or are compressed."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unknown-format"


_READERS: Final[Mapping[str, Callable[[], RowReader]]] = {
    "application/x-ndjson": NdjsonReader,
    "application/ndjson": NdjsonReader,
    "application/jsonl": NdjsonReader,
    "application/json": JsonArrayReader,
}


def reader_for(content_type: str, content_encoding: str = "") -> RowReader:
    """Choose the reader of a body.

    Raises:
        UnknownFormatError: There is none (415).
    """
    if content_encoding not in {"", "identity"}:
        raise UnknownFormatError("Send the rows uncompressed, without a Content-Encoding.")
    header = Message()
    header["Content-Type"] = content_type or "unknown/unknown"
    kind, charset = header.get_content_type(), header.get_content_charset("utf-8")
    if kind == "text/csv" and charset in CHARSETS:
        return CsvReader(charset)
    if kind in _READERS and charset == "utf-8":
        return _READERS[kind]()
    raise UnknownFormatError(
        "Send the rows with the header Content-Type: application/x-ndjson, application/json, or text/csv, which may "
        f"have a charset: {', '.join(CHARSETS)}."
    )
