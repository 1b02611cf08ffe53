"""Files that pages load: read and compressed once, and kept by browsers until they change."""

import asyncio
import gzip
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

STATIC: Final = Path(__file__).parent / "static"
VENDORED: Final = Path(__file__).parent / "vendored"
"""Of other projects, unmodified; `checksums.json` says which versions."""

_KEPT: Final = "public, max-age=31536000, immutable"
_ASKED_FOR_AGAIN: Final = "no-cache"


@dataclass(frozen=True)
class Asset:
    """A file that every answer shares.

    Attributes:
        file: Where it is.
        media_type: What it is.
    """

    file: Path
    media_type: str

    @cached_property
    def body(self) -> bytes:
        """Its bytes."""
        return self.file.read_bytes()

    @cached_property
    def compressed(self) -> bytes:
        """The same for who takes gzip."""
        return gzip.compress(self.body, mtime=0)

    @cached_property
    def version(self) -> str:
        """Changes with the file."""
        return sha256(self.body).hexdigest()[:16]

    @property
    def address(self) -> str:
        """Its name and version, so that a browser may keep what it finds there for ever."""
        return f"{self.file.name}?v={self.version}"


async def asset_answer(asset: Asset, request: Request, *, takes_gzip: bool) -> Response:
    """The file, or 304 for who has it; compressed in a thread, because the first time takes 100 ms."""
    tag = f'W/"{asset.version}"'
    is_kept = request.query_params.get("v") == asset.version
    headers = {"ETag": tag, "Cache-Control": _KEPT if is_kept else _ASKED_FOR_AGAIN, "Vary": "Accept-Encoding"}
    if tag.removeprefix("W/") in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    body = await asyncio.to_thread(lambda: asset.compressed if takes_gzip else asset.body)
    if takes_gzip:
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers | {"X-Content-Type-Options": "nosniff"}, media_type=asset.media_type)
