import gzip

import pytest

from service_kit.api.compression import _takes_gzip, json_answer

LARGE = b"[" + b"0," * 5000 + b"0]"


@pytest.mark.parametrize("offer", ["gzip", "br, gzip", "GZIP;q=1.0", "deflate , gzip ; q=0.5", "gzip;q=0.001,br"])
async def test_takes_an_offer_of_gzip(offer: str) -> None:
    assert await _takes_gzip(offer)


@pytest.mark.parametrize("offer", ["", "identity", "br", "gzip;q=0", "gzip; q=0.000", "x-gzip2", "br;q=1, gzip;q=0"])
async def test_takes_nothing_else_for_one(offer: str) -> None:
    assert not await _takes_gzip(offer)


async def test_compresses_what_is_large() -> None:
    answer = await json_answer(LARGE, {"ETag": 'W/"1"'}, takes_gzip=True)

    assert gzip.decompress(bytes(answer.body)) == LARGE
    assert answer.headers["content-length"] == str(len(answer.body))
    assert (answer.headers["content-encoding"], answer.headers["etag"]) == ("gzip", 'W/"1"')


@pytest.mark.parametrize(("body", "takes_gzip"), [(b"[]", True), (LARGE, False)])
async def test_leaves_a_body_alone_that_is_small_or_not_to_be_compressed(body: bytes, *, takes_gzip: bool) -> None:
    answer = await json_answer(body, {}, takes_gzip=takes_gzip)

    assert (answer.body, answer.headers["vary"]) == (body, "Accept-Encoding")
    assert "content-encoding" not in answer.headers
