"""A small API of notes on `create_app`: what the tests of the kit call. It needs no server."""

from decimal import Decimal

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel, Field

from service_kit.api.app import create_app
from service_kit.api.pagination import PageQueryParams, link_next
from service_kit.pagination import BadCursorError, Page, decode_cursor
from service_kit.problems import ErrorTranslations, ServiceError, StoreUnavailableError, problems
from service_kit.resources import Check
from service_kit.settings.process import ApiKeySettings, ApiSettings
from tests.support.resources import NotedResource


class NotesSettings(ApiSettings, ApiKeySettings):
    """Settings of an API whose callers may have to show a key."""


router = APIRouter(prefix="/notes", tags=["notes"])


class NoteGoneError(ServiceError):
    """The note was thrown away."""

    status = 410
    code = "note-gone"

    def __init__(self) -> None:
        super().__init__("This note was thrown away. Write another.", headers={"X-Bin": "paper"}, thrown_by="me")


class NoteRefusedError(ServiceError):
    """The note is not fit to print."""

    status = 422
    code = "note-refused"


class DriverError(Exception):
    """What a driver would raise."""


class NewNote(BaseModel):
    text: str
    password: str = Field("long enough", min_length=8)
    stars: int = 0
    price: Decimal = Decimal(0)
    tags: dict[str, str] = {}


class Note(BaseModel):
    text: str
    tags: dict[str, str]


@router.post("", status_code=201, responses=problems(NoteRefusedError))
async def create(note: NewNote) -> Note:
    return Note(text=note.text, tags=note.tags)


@router.get("", responses=problems(BadCursorError))
async def read_page(query: PageQueryParams, request: Request, response: Response) -> Page[Note]:
    if query.cursor:
        decode_cursor(query.cursor)
    link_next(request, response, "there-is-more")
    return Page(items=[], next_cursor="there-is-more")


@router.get("/count")
async def count() -> int:
    return 0


@router.get("/{number}")
async def read(number: int) -> int:
    return number


@router.put("/{number}")
async def replace(number: int, note: NewNote) -> Note:
    return Note(text=f"{number}: {note.text}", tags=note.tags)


@router.post("/gone", responses=problems(NoteGoneError))
async def gone() -> None:
    raise NoteGoneError


@router.post("/stored")
async def stored() -> None:
    raise DriverError("10.0.0.7 refused us")


@router.post("/broken")
async def broken() -> None:
    secret = "hunter2"
    raise RuntimeError(f"the inside of {len(secret)} things")


def build(
    settings: NotesSettings | None = None,
    *,
    routers: tuple[APIRouter, ...] = (router,),
    checks: tuple[Check, ...] = (),
    stored: bool = False,
    home: str = "/docs",
) -> FastAPI:
    """The API; `stored` gives it a driver whose errors are translated."""
    translations: ErrorTranslations = {DriverError: lambda _: StoreUnavailableError()} if stored else {}
    return create_app(
        settings or NotesSettings(),
        description="Notes.",
        routers=routers,
        resources=[NotedResource(checks=checks, translations=translations)],
        home=home,
    )
