"""Bodies that wait for their end, in memory or on disk, and leave nothing behind."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service_kit.api.body_spool import NoRoomError, SpooledBody, SpoolRoom, spooled

MIB = 1_048_576
LARGE = bytes(range(256)) * 4096 * 3 + b"end"


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 50_000):
        yield body[start : start + 50_000]


def names_in(folder: Path) -> list[str]:
    return [found.name for found in folder.iterdir()]


async def read(body: SpooledBody) -> bytes:
    return b"".join([piece async for piece in body.pieces()])


@pytest.mark.parametrize("body", [b"", b"small", LARGE])
async def test_a_body_is_read_as_often_as_one_likes(body: bytes) -> None:
    async with spooled(in_pieces(body), SpoolRoom(4 * MIB)) as whole:
        assert [await read(whole), await read(whole)] == [body, body]
        assert max([len(piece) async for piece in whole.pieces()], default=0) <= 65_536


async def test_a_body_on_disk_has_no_name_there_and_its_room_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    room = SpoolRoom(4 * MIB)
    async with spooled(in_pieces(LARGE), room):
        assert room.free_bytes < 2 * MIB
        assert names_in(tmp_path) == []
    assert room.free_bytes == 4 * MIB


async def test_all_bodies_together_have_a_limit() -> None:
    room = SpoolRoom(4 * MIB)
    async with spooled(in_pieces(LARGE), room) as first:
        with pytest.raises(NoRoomError):
            async with spooled(in_pieces(LARGE), room):
                pass
        assert await read(first) == LARGE
    async with spooled(in_pieces(LARGE), room) as second:
        assert await read(second) == LARGE


async def test_without_a_folder_small_bodies_pass_and_the_log_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    room = SpoolRoom(4 * MIB)
    async with spooled(in_pieces(LARGE[:MIB]), room) as small:
        assert await read(small) == LARGE[:MIB]
    with capture_logs() as told, pytest.raises(NoRoomError) as refused:
        async with spooled(in_pieces(LARGE), room):
            pass
    assert "TMPDIR" in told[0]["error"]
    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "30"})
    assert room.free_bytes == 4 * MIB
