"""`POST /passengers/bulk`: thousands of passengers in one request, in three formats."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Request, Response
from pydantic import WithJsonSchema

from passengers_service.models.passenger import NewPassenger
from passengers_service.routes.dependencies import IncomingBodyDep, LoadsDep
from passengers_service.services.bulk.csv_reader import BadHeaderLineError
from passengers_service.services.bulk.formats import UnknownFormatError, reader_for
from passengers_service.services.bulk.load import TooManyRowsError
from passengers_service.services.bulk.reader import UnfinishedBodyError
from passengers_service.services.bulk.result import LoadResult, NoRowsError, RejectedRowsError
from service_kit.api.body_spool import NoRoomError
from service_kit.api.dependencies import NowDep
from service_kit.api.request_stream import CutOffBodyError, SlowBodyError, streams_body
from service_kit.problems import problems

router = APIRouter(prefix="/passengers", tags=["passengers"])

Handling = Literal["strict", "lenient"]

# It may come on several lines; told as one text, because generators of clients take no list in a header.
Prefer = Annotated[
    list[str] | None,
    WithJsonSchema({"type": "string", "examples": ["handling=lenient"]}),
    Header(alias="Prefer", description="`handling=lenient` stores the good rows."),
]


_ROW: Final = {"$ref": f"#/components/schemas/{NewPassenger.__name__}"}
_LINES: Final = {"type": "string", "contentMediaType": "application/octet-stream"}
_NDJSON_EXAMPLE: Final = (
    '{"document_type": "passport", "document_number": "PAB123456", "first_name": "Ana María", '
    '"last_name": "Peña Ruiz", "birth_date": "1990-05-17", "nationality": "ES"}\n'
)
_CSV_EXAMPLE: Final = (
    "document_type,document_number,first_name,last_name,email,phone,birth_date,nationality\n"
    'passport,PAB123456,Ana María,"Peña Ruiz",ana@example.com,+34600123456,1990-05-17,ES\n'
)
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "array", "items": _ROW, "minItems": 1}},
            "application/x-ndjson": {"schema": _LINES, "example": _NDJSON_EXAMPLE},
            "text/csv": {"schema": _LINES, "example": _CSV_EXAMPLE},
        },
    }
}
_APPLIED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Stored. The same load again changes nothing.",
        "headers": {
            "Preference-Applied": {
                "description": "`handling=strict` or `handling=lenient`, if `Prefer` asked for it (RFC 7240).",
                "schema": {"type": "string"},
            }
        },
    }
}


@router.post(
    "/bulk",
    summary="Load many passengers",
    openapi_extra=_BODY,
    responses=_APPLIED
    | problems(
        *(UnknownFormatError, TooManyRowsError, NoRowsError, RejectedRowsError),
        *(BadHeaderLineError, UnfinishedBodyError, CutOffBodyError, SlowBodyError, NoRoomError),
    ),
)
@streams_body
async def load(
    request: Request,
    response: Response,
    loads: LoadsDep,
    incoming: IncomingBodyDep,
    now: NowDep,
    prefer: Prefer = None,
) -> LoadResult:
    """Register or change thousands of passengers in one transaction; a row is a whole passenger, as `PUT` takes it.

    A row whose document is known changes that passenger, another one registers somebody; `id` is optional, a UUIDv7 of
    your own. If a row is bad, nothing is stored, and the answer lists the rows with their reasons: with
    `Prefer: handling=lenient` the good ones are stored, and the bad ones listed. A repeat is harmless.
    """
    handling = _handling(prefer or ())
    written = request.headers.get("Content-Type", ""), request.headers.get("Content-Encoding", "")
    make_reader = partial(reader_for, *written)
    make_reader()  # refuses another format before its body has come
    async with incoming as body:
        result = await loads.load(body, make_reader, is_lenient=handling == "lenient", now=now)
    if handling:
        response.headers["Preference-Applied"] = f"handling={handling}"
    return result


def _handling(prefer: Sequence[str]) -> Handling | None:
    """The first one counts; preferences that we do not know are none of our business (RFC 7240, 2)."""
    for preference in ",".join(prefer).split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "handling":
            wished = value.strip(' "').lower()
            return "lenient" if wished == "lenient" else "strict" if wished == "strict" else None
    return None
