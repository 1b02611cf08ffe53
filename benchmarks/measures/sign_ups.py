"""`POST /users/` beside bcrypt alone on every core, and reads during a burst of sign-ups."""

import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final
from urllib.request import Request, urlopen

import bcrypt

from benchmarks.harness.row import Row, alternate, row_of
from benchmarks.harness.testbed import Site
from benchmarks.harness.wrk import load
from service_kit.accounts.passwords import usable_cores

_SECONDS: Final = 10
_ROUNDS: Final = 12
_CALLERS: Final = 16
_READERS: Final = 4
_PAUSE_MS: Final = 10


def measure(site: Site) -> Sequence[Row]:
    """Users a second; and milliseconds of a read, 99th percentile."""
    service = site.ours("user_service", BCRYPT_ROUNDS=str(_ROUNDS))
    url = f"{service.url}/users/"

    def signed_up() -> float:
        met = load(url, _SECONDS, connections=_CALLERS, script="user")
        return met.answers / met.seconds

    def reads_p99_ms() -> float:
        return load(url + _user_id(url), _SECONDS, connections=_READERS, delay_ms=_PAUSE_MS).p99_ms

    def reads_in_a_burst_p99_ms() -> float:
        burst = threading.Thread(
            target=load, args=(url, _SECONDS + 1), kwargs={"connections": _CALLERS, "script": "user"}
        )
        burst.start()
        p99 = reads_p99_ms()
        burst.join()
        return p99

    users = alternate({"ours": signed_up, "bcrypt on every core": _bcrypt_alone}, site.rounds, site.say)
    reads = alternate({"ours": reads_in_a_burst_p99_ms, "idle": reads_p99_ms}, site.rounds, site.say)
    return [
        row_of("sign_ups", "users/s", users, {"bcrypt on every core": 0.9}, digits=2),
        row_of("reads_in_a_burst", "ms, p99", reads, {"idle": 5.0}, more_is_better=False, digits=1),
    ]


def _user_id(url: str) -> str:
    user = {"name": "Ada", "email": f"ada{time.monotonic_ns()}@example.com", "password": "correct horse"}
    request = Request(url, json.dumps(user).encode(), {"Content-Type": "application/json"})  # noqa: S310 - our own address
    with urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        user_id: str = json.load(answer)["id"]
    return user_id


def _bcrypt_alone() -> float:
    cores = usable_cores()
    with ProcessPoolExecutor(cores) as pool:
        return sum(pool.map(_hashes_a_second, [_SECONDS] * cores))


def _hashes_a_second(seconds: float) -> float:
    began, count = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        bcrypt.hashpw(b"correct horse battery staple", bcrypt.gensalt(_ROUNDS))
        count += 1
    return count / (time.monotonic() - began)
