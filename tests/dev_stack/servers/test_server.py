import os
import sys
from pathlib import Path

import pytest

from dev_stack.ports import answers, free_port
from dev_stack.servers.server import Server, ServerNotReadyError
from tests.dev_stack.stand_in_stack import STAND_IN

COUNT = "open('prepared', 'a').write('once ')"


class StandIn(Server):
    name = "the stand-in"

    def __init__(self, folder: Path, prepare: str) -> None:
        super().__init__(folder, free_port())
        self._prepare = prepare

    @classmethod
    def install(cls) -> None:
        pass

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        return answers("127.0.0.1", self.port)

    def _preparation(self) -> list[str]:
        return [sys.executable, "-c", self._prepare] if self._prepare else []

    def _command(self) -> list[str]:
        return [sys.executable, STAND_IN]

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "PORT": str(self.port)}


def test_is_prepared_before_its_first_start_only(tmp_path: Path) -> None:
    with StandIn(tmp_path, COUNT) as server:
        server.kill()
        server.start()
    assert (tmp_path / "prepared").read_text() == "once "


def test_one_whose_preparation_fails_is_not_started(tmp_path: Path) -> None:
    server = StandIn(tmp_path, "raise SystemExit('no such table')")
    with pytest.raises(ServerNotReadyError, match=r"^the stand-in could not be prepared:\n    no such table$"):
        server.start()
    assert not server.is_running
    assert not server.log.exists()


def test_one_without_a_preparation_starts(tmp_path: Path) -> None:
    with StandIn(tmp_path, "") as server:
        assert server.is_running
