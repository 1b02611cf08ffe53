"""Entity tags (RFC 9110, 8.8.3): so that two editors do not overwrite each other unseen."""

import re
from collections.abc import Set as AbstractSet
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Depends, Header

from service_kit.problems import ServiceError

_MAX_DIGITS: Final = 15
_STRONG_TAG: Final = re.compile(r'(?<!W/)"([^"]*)"')


class StaleEditError(ServiceError):
    """`If-Match` names another version than the one stored: somebody was faster."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "stale-edit"

    def __init__(self) -> None:
        super().__init__("It has changed since you read it. Read it again, and send its new ETag in If-Match.")


def etag_of(version: int) -> str:
    """The strong tag of a version of a resource."""
    return f'"{version}"'


def _tags_in(
    if_match: Annotated[str | None, Header(description="The `ETag` that you read.")] = None,
) -> list[int] | None:
    """The versions that `If-Match` accepts; None if any will do. Tags that are not ours match nothing."""
    if if_match is None or if_match.strip() == "*":
        return None
    return [
        int(tag) for tag in _STRONG_TAG.findall(if_match) if tag.isascii() and tag.isdigit() and len(tag) <= _MAX_DIGITS
    ]


AcceptedVersions = Annotated[list[int] | None, Depends(_tags_in)]


def accepts(accepted: AbstractSet[int] | list[int] | None, version: int) -> bool:
    """Whether an edit of this version is welcome."""
    return accepted is None or version in accepted
