"""docs/adding-a-service.md, followed to the letter in a copy of the repository, until the service answers."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from dev_stack.ports import free_port
from dev_stack.servers.postgres import Postgres
from tests.dev_stack.conftest import ROOT
from tests.end_to_end.conftest import until

GUIDE = (ROOT / "docs" / "adding-a-service.md").read_text()
_BLOCK = re.compile(r"(?P<before>[^\n]+)\n\n```(?P<language>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"^`(parcels_service/[\w/.]+)`")
_DOING = re.compile(r"^(mkdir|touch|sed|echo)", re.MULTILINE)
LISTING = shlex.split("git ls-files --cached --others --exclude-standard")
EDITS = {
    "dev_stack/services.py": ("text", "    _on_postgres(\n", "row"),
    "pyproject.toml": ("toml", "passengers-service = [\n", "group"),
    "docker-compose.yml": ("yaml", "  # Commands beside the services:", "block"),
}
"""Where each edit goes: before the first of these lines."""


class Copy:
    """The repository in another folder, with the guide's service in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.edits = 0

    def copy(self) -> None:
        listed = subprocess.run(LISTING, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - git
        for name in listed.stdout.decode().splitlines():
            if (ROOT / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.folder / name)

    def edit(self, file: str, text: str, before: str) -> None:
        path = self.folder / file
        here, line, rest = path.read_text().partition(before)
        assert line, f"{file} has no line {before!r}"
        path.write_text(f"{here}{text}\n{line}{rest}")
        self.edits += 1

    def run(self, *command: str, **settings: str) -> str:
        done = subprocess.run(  # noqa: S603 - ours, and the guide's
            command,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(self.folder), "ENV_FILE": "", **settings},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def python(self, *arguments: str, **settings: str) -> str:
        return self.run(sys.executable, "-m", *arguments, **settings)


def follow(copy: Copy) -> None:
    """Steps 1 to 5, but for `make lock`, which needs the package index."""
    for found in _BLOCK.finditer(GUIDE.partition("## An API on MongoDB")[0]):
        language, text = found["language"], found["text"]
        if named := _NAMED.match(found["before"]):
            (copy.folder / named[1]).write_text(text)
        elif language == "sh" and _DOING.search(text):
            copy.run("/bin/bash", "-euc", text)
        else:
            for file, (of, before, _) in EDITS.items():
                if of == language:
                    copy.edit(file, text, before)
    copy.python("dev_stack", "rows")
    copy.python("dev_stack", "api")
    (copy.folder / "parcels_service" / "requirements.txt").touch()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The copy, after step 5."""
    made = Copy(tmp_path_factory.mktemp("copy"))
    made.copy()
    follow(made)
    return made


def test_takes_three_edits_beside_the_folder(copy: Copy) -> None:
    assert copy.edits == len(EDITS)


def test_leaves_nothing_to_ask_for(copy: Copy) -> None:
    copy.python("dev_stack", "imports")
    copy.python("pytest", "-q", "-p", "no:cacheprovider", "tests/dev_stack/test_rows.py", "tests/railway")


def test_a_row_alone_is_told_what_is_missing_where(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.copy()
    copy.edit(
        "dev_stack/services.py",
        '    _on_postgres("parcels_service", 8099, "parcels", profile="parcels"),',
        "    _on_postgres(\n",
    )

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/dev_stack/test_rows.py"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )

    for told in (
        "Run `make rows`",
        'parcels-service = [{ include-group = "api" }, { include-group = "postgres" }]',
        "docker-compose.yml lacks, in `services`",
        "DATABASE_USER: parcels_service",
        "parcels_service/Dockerfile is missing: see docs/adding-a-service.md",
        "parcels_service/requirements.txt is missing: run `make lock`",
    ):
        assert told in done.stdout


@pytest.fixture
def url(copy: Copy, postgres: Postgres) -> Iterator[str]:
    """The service, running on the tables of its first migration."""
    port = str(free_port())
    address = {"DATABASE_URL": postgres.url}
    written = copy.python("parcels_service.init_db", "--new", "Parcels", **address)
    assert "Wrote " in written
    assert "Applied 0001: Parcels." in copy.python("parcels_service.init_db", **address)
    process = subprocess.Popen(
        [sys.executable, "-m", "service_kit.runtime.serve", "parcels_service.main:app"],
        cwd=copy.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(copy.folder), "ENV_FILE": "", "PORT": port, **address},
        stdout=subprocess.DEVNULL,
    )
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    assert process.wait(30) == 0


def test_the_service_answers(url: str) -> None:
    def is_ready() -> bool:
        try:
            return httpx.get(f"{url}/health/ready").is_success
        except httpx.TransportError:
            return False

    until(is_ready)
    sent = httpx.post(f"{url}/parcels", json={"place": "Vigo"})

    assert sent.status_code == 201
    assert httpx.get(f"{url}/parcels").json() == [sent.json()]
