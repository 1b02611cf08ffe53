"""What the fuzzer has to be told, because no OpenAPI document can say it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

_EXAMPLES: Final = 15
_ALL_PASSED: Final = re.compile(r"(\d+) generated, (\d+) passed")

ANY_VERSION: Final = '[parameters]\n"header.If-Match" = "*"\n'
"""A tag that the fuzzer makes up names no version: each edit would be 412, as RFC 9110 asks for, and none be tried."""


def may_refuse(operation: str, *statuses: str) -> str:
    """Settings by which an operation may also answer so to what the schema allows."""
    expected = ", ".join(f'"{status}"' for status in ("2xx", "404", "409", *statuses))
    return (
        f'[[operations]]\ninclude-name = "{operation}"\n'
        f"checks.positive_data_acceptance.expected-statuses = [{expected}]\n"
    )


def fuzz(url: str, folder: Path, configuration: str, *, header: str = "", options: tuple[str, ...] = ()) -> None:
    """Send what `/openapi.json` allows and what it forbids; fails with all that the fuzzer printed.

    Its warnings are no failures: they say which operations it found few valid examples for, and differ from run to run.
    """
    (folder / "schemathesis.toml").write_text(configuration)
    fuzzer = subprocess.run(  # noqa: S603 - our own command
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"),
            *("--phases", "examples,coverage,fuzzing,stateful", "--checks", "all", "--max-examples", str(_EXAMPLES)),
            *("--generation-deterministic", "--no-shrink", "--no-color", *options),
            *(("--header", header) if header else ()),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    printed = fuzzer.stdout + fuzzer.stderr
    assert fuzzer.returncode == 0, printed
    counted = _ALL_PASSED.search(printed)
    assert counted is not None, printed
    assert int(counted[1]) == int(counted[2]) > 0, printed
