"""Entity tags (RFC 9110, 8.8.3): so that two editors do not overwrite each other unseen."""

import re
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Header, Response
from pydantic.json_schema import SkipJsonSchema

from service_kit.problems import ServiceError

_TAG: Final = re.compile(r'(W/)?"([^"]*)"')
_NO_MORE: Final[Mapping[str, str]] = {}
_VERSION: Final = re.compile(r"0|[1-9][0-9]{0,14}")


class StaleEditError(ServiceError):
    """`If-Match` names another version than the one stored: somebody was faster. Or `If-None-Match: *` was sent."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "stale-edit"

    def __init__(self) -> None:
        super().__init__(
            "It is not as your If-Match or If-None-Match has it. Read it again, and send its ETag in If-Match."
        )


def etag_of(version: int) -> str:
    """The strong tag of a version of a resource."""
    return f'"{version}"'


def weak_etag_of(version: int) -> str:
    """The tag of a version whose bytes may differ: compressed or not, say."""
    return f"W/{etag_of(version)}"


async def _tags_in(
    if_match: Annotated[
        str | SkipJsonSchema[None],
        Header(alias="If-Match", description='The `ETag` that you read, like `"3"`; left out, any version will do.'),
    ] = None,
    # Not in the documents: what can be edited is there, so that no edit ever succeeds with it.
    if_none_match: Annotated[Literal["*"] | None, Header(include_in_schema=False)] = None,
) -> list[int] | None:
    """The versions that `If-Match` accepts; None if any will do. Weak tags, and those not ours, match nothing."""
    if if_none_match is not None:
        return []
    if if_match is None or if_match.strip() == "*":
        return None
    return [int(tag) for weak, tag in _TAG.findall(if_match) if not weak and _VERSION.fullmatch(tag)]


AcceptedVersions = Annotated[list[int] | None, Depends(_tags_in)]


def accepts(accepted: Collection[int] | None, version: int) -> bool:
    """Whether an edit of this version is welcome."""
    return accepted is None or version in accepted


async def _known_in(
    if_none_match: Annotated[
        str | SkipJsonSchema[None],
        Header(alias="If-None-Match", description='The `ETag` of the answer that you have, like `"3"`.'),
    ] = None,
) -> list[int] | None:
    """The versions that the caller has, in `If-None-Match`; None if it has any. Weak tags count: it only reads."""
    if if_none_match is not None and if_none_match.strip() == "*":
        return None
    return [int(tag) for _, tag in _TAG.findall(if_none_match or "") if _VERSION.fullmatch(tag)]


KnownVersions = Annotated[list[int] | None, Depends(_known_in)]


def not_modified(
    known: Collection[int] | None,
    version: int,
    tag_of: Callable[[int], str] = etag_of,
    headers: Mapping[str, str] = _NO_MORE,
) -> Response | None:
    """The answer to a caller that has this version already."""
    if not accepts(known, version):
        return None
    return Response(status_code=304, headers={"ETag": tag_of(version), **headers})


ETAG_HEADER: Final[dict[str, Any]] = {
    "ETag": {"description": "Names this version.", "required": True, "schema": {"type": "string"}}
}

NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "What `If-None-Match` names is the version stored.", "headers": ETAG_HEADER}
}
"""For the `responses` of a route that calls `not_modified`."""
