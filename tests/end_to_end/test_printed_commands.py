"""What the documents print works as printed: with `make up` running; what needs Docker or Railway, by its form."""

import asyncio
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from uuid import uuid4

import aio_pika
import httpx
import pytest
import yaml

from dev_stack.ports import free_port
from dev_stack.servers.catalog import SERVERS
from dev_stack.servers.postgres import Postgres
from dev_stack.services import SERVICES
from tests.end_to_end.conftest import until
from tests.end_to_end.printed import DOCUMENTS, Printed, blocks, inline
from tests.support.system import ROOT, WISH

OURS = r"(?:\.venv/bin/)?python -m ([\w.]+)([^|;&]*)"
LASTING = re.compile(r"service_kit\.runtime\.serve|_service\.consumer")
INSTALLING = re.compile(r"dev_stack install")
LETTER = re.compile(r"(dead_letters orders_queue \w+) ID\b")
COMPOSED = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
PRINTED = [*blocks(), *inline()]


@dataclass(frozen=True)
class Stack:
    """A `make up` that runs.

    Attributes:
        folder: Where a reader would stand: the repository's root.
        ports: Of servers and services, by name.
    """

    folder: Path
    ports: Mapping[str, int]
    _run: set[str] = field(default_factory=set)

    def is_new(self, line: str) -> bool:
        """Whether it is no whole command that was run before."""
        is_run = line in self._run
        if line.startswith(".venv/bin/python") and not LETTER.search(line):
            self._run.add(line)
        return not is_run

    @property
    def environment(self) -> dict[str, str]:
        """Of a reader who has set nothing."""
        return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(self.folder)}

    def at_our_ports(self, text: str) -> str:
        for service in SERVICES:
            text = re.sub(rf"(localhost|127\.0\.0\.1):{service.port}\b", rf"\1:{self.ports[service.name]}", text)
        return text

    def run(self, script: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - what our documents print
            ["/bin/bash", "-euxc", self.at_our_ports(script)],
            cwd=self.folder,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All servers and services, as `make up` starts them, on free ports."""
    folder = tmp_path_factory.mktemp("repository")
    ports = {name: free_port() for name in [*SERVERS, *(service.name for service in SERVICES)]}
    for service in SERVICES:
        (folder / service.name).mkdir()
        shutil.copy(ROOT / service.name / ".env.example", folder / service.name)
    (folder / ".venv").symlink_to(sys.prefix)
    started = Stack(folder, ports)
    variables = {f"{name.upper()}_PORT": str(port) for name, port in ports.items()}
    log = folder / "make_up.log"
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, "-m", "tests.end_to_end.whole_stack", str(folder)],
            cwd=ROOT,
            env=started.environment | variables | {"BCRYPT_ROUNDS": "4"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: "Everything is ready" in log.read_text() or process.poll() is not None, seconds=90)
        assert process.poll() is None, log.read_text()
        answer = httpx.post(f"http://127.0.0.1:{ports['orders_service']}/orders", json=WISH)
        until(lambda: f"New order received: {answer.json()['id']}" in log.read_text())
        yield started
    finally:
        process.terminate()
        process.wait(30)
        Postgres(folder / ".data" / "postgres", ports["postgres"]).remove_data()


async def _put_letter(url: str, letter_id: str) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        letter = aio_pika.Message(b"no event", message_id=letter_id)
        await channel.default_exchange.publish(letter, "orders_queue.dead")


def with_letters(script: str, stack: Stack) -> str:
    """With the id of a dead letter wherever a reader has to write one."""

    def put(found: re.Match[str]) -> str:
        letter_id = uuid4().hex
        asyncio.run(_put_letter(f"amqp://guest:guest@127.0.0.1:{stack.ports['rabbitmq']}/", letter_id))
        return f"{found[1]} {letter_id}"

    return LETTER.sub(put, script)


def runs_here(printed: Printed) -> bool:
    return not (
        printed.place.startswith("docs/railway.md")
        or printed.is_for_elsewhere
        or INSTALLING.search(printed.text)
        or printed.text.startswith("python ")
    )


@pytest.mark.parametrize("document", [str(file) for file in DOCUMENTS])
def test_what_is_printed_for_make_up_works_as_printed(document: str, stack: Stack) -> None:
    """All of a document in one terminal, in its order; a command that several documents print runs once."""
    lines = [
        line
        for printed in PRINTED
        if printed.place.partition(":")[0] == document and runs_here(printed)
        for line in printed.text.splitlines()
        if not LASTING.search(line) and stack.is_new(line.partition("  #")[0].strip())
    ]

    done = stack.run(with_letters("\n".join(lines), stack))

    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]


@pytest.mark.parametrize(
    "command",
    sorted({command for printed in PRINTED for command in printed.commands if LASTING.search(command)} - {""}),
)
def test_a_service_that_is_started_beside_make_up_finds_its_servers(command: str, stack: Stack) -> None:
    port = free_port()
    program = shlex.split(command)
    process = subprocess.Popen(  # noqa: S603 - what our documents print
        program, cwd=stack.folder, env=stack.environment | {"PORT": str(port)}, stdout=subprocess.DEVNULL
    )

    def is_ready() -> bool:
        try:
            status: str = httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=5).json()["status"]
        except httpx.TransportError:
            return False
        return status == "ok"

    try:
        until(is_ready)
    finally:
        process.terminate()
    assert process.wait(30) == 0


@pytest.mark.parametrize("printed", PRINTED, ids=lambda printed: printed.place)
def test_what_is_printed_for_any_way_names_what_there_is(printed: Printed) -> None:
    for command in printed.commands:
        for module, arguments in re.findall(OURS, command):
            assert importlib.util.find_spec(module), f"{printed.place}: there is no module {module}"
            options = re.findall(r"--[a-z-]+", arguments)
            if options and not runs_here(printed):
                told = help_of(module, *re.findall(r"(?<= )[a-z_]+(?= |$)", arguments)[:1])
                assert all(option in told for option in options), f"{printed.place}: {told}"
        if command.startswith("make "):
            _check_make(command, printed.place)
        if found := re.match(
            r"docker compose (?:--profile \w+ )?(?:exec|run|logs|up|down)\b(?: -\S+)* ?(\w+)?", command
        ):
            assert found[1] is None or found[1] in COMPOSED or "--" in command, f"{printed.place}: {found[1]}"
        for name in re.findall(r"railway .*--service (\w+)", command):
            assert name in COMPOSED, f"{printed.place}: Railway has no service {name}"


@cache
def help_of(module: str, *words: str) -> str:
    """What a command says of its options, with its first word and without."""
    environment = os.environ | {"COLUMNS": "200", "NO_COLOR": "1"}
    told = ""
    for arguments in {words, ()}:
        command = [sys.executable, "-m", module, *arguments, "--help"]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)  # noqa: S603 - ours
        told += done.stdout
    return told


def _check_make(command: str, place: str) -> None:
    words = [word for word in shlex.split(command)[1:] if "=" not in word]
    assert set(words) <= TARGETS, f"{place}: the Makefile has not all of {words}"
    for argument in shlex.split(command):
        name, _, value = argument.partition("=")
        if name == "SERVICES":
            assert set(value.split()) - {"…"} <= {service.name for service in SERVICES}, f"{place}: {value}"
        if name == "ARGS":
            paths = [word for word in value.split() if word.startswith("tests/")]
            assert all((ROOT / path).exists() for path in paths), f"{place}: {value}"
