"""A fuzzer that believes every word of `/openapi.json`, and sends what should and what should not be taken."""

import asyncio
from pathlib import Path

import pytest

from tests.every_api.apis import Api
from tests.every_api.conftest import StoreUrl
from tests.support.fuzzer import ANY_VERSION, fuzz, may_refuse
from tests.support.system import ServiceProcess


@pytest.mark.parametrize("key", ["", "a-key"], ids=["open", "with_a_key"])
def test_a_fuzzer_finds_nothing(api: Api, key: str, store_url: StoreUrl, tmp_path: Path) -> None:
    environment = api.environment(store_url(api), f"fuzzed_{api.name}_{len(key)}", keys=key)
    asyncio.run(api.prepare(api.settings(environment)))
    configuration = "\n".join([ANY_VERSION, api.fuzzer, *(may_refuse(name, "422") for name in api.may_refuse)])
    options = tuple(word for path in api.not_fuzzed for word in ("--exclude-path", path))

    with ServiceProcess(tmp_path / "api", api.name, **environment) as process:
        header = f"X-API-Key: {key}" if key else ""
        fuzz(process.url, tmp_path, configuration, header=header, options=options)
