import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev_stack.errors import StackError
from dev_stack.ports import answers, free_port, is_free
from dev_stack.servers.postgres import Postgres
from dev_stack.servers.postgres_binaries import BINARIES, LIBRARIES, WHEELS, binaries
from dev_stack.servers.server import ServerNotReadyError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user")


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Postgres]:
    with Postgres(tmp_path, free_port(), temporary=True) as server:
        yield server


def _ask(server: Postgres, *statements: str) -> str:
    commands = [word for statement in statements for word in ("-c", statement)]
    psql = [str(binaries() / "psql"), "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-qAt", *commands, server.url]
    return subprocess.run(psql, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - ours


def test_finds_its_committed_rows_after_a_kill(own_postgres: Postgres) -> None:
    _ask(own_postgres, "CREATE TABLE orders (id int)", "INSERT INTO orders VALUES (1)")
    pid = own_postgres.pid
    own_postgres.kill()
    assert not own_postgres.is_running
    own_postgres.start()
    assert own_postgres.pid != pid
    assert _ask(own_postgres, "SELECT id FROM orders") == "1"


def test_starts_again_while_a_client_of_the_killed_one_is_still_served(own_postgres: Postgres) -> None:
    psql = [str(binaries() / "psql"), "-c", "SELECT count(*) FROM generate_series(1, 2000000)", own_postgres.url]
    with subprocess.Popen(psql, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):  # noqa: S603 - ours
        while _ask(own_postgres, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%, 2000000)'") == "0":
            pass
        own_postgres.kill()
        own_postgres.start()


def test_stops_although_a_client_stays_and_leaves_its_port(own_postgres: Postgres) -> None:
    psql = [str(binaries() / "psql"), own_postgres.url]
    with subprocess.Popen(psql, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as client:  # noqa: S603 - ours
        while _ask(own_postgres, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'") == "1":
            pass  # only who asks
        own_postgres.stop(timeout_seconds=5)
        client.kill()
    assert own_postgres.wait() == 0
    assert not answers("127.0.0.1", own_postgres.port)
    assert is_free(own_postgres.port)


def test_a_second_process_finds_the_data(tmp_path: Path) -> None:
    first = Postgres(tmp_path, free_port(), temporary=True)
    first.start()
    _ask(first, "CREATE DATABASE shop")
    first.stop()
    with Postgres(tmp_path, free_port(), temporary=True) as second:
        assert _ask(second, "SELECT datname FROM pg_database WHERE datname = 'shop'") == "shop"


@pytest.mark.parametrize(
    ("setting", "value"),
    [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on"), ("timezone", "UTC")],
)
def test_keeps_what_it_confirmed(postgres: Postgres, setting: str, value: str) -> None:
    assert _ask(postgres, f"SHOW {setting}") == value


def test_text_beyond_english_is_at_home(postgres: Postgres) -> None:
    assert _ask(postgres, "SELECT upper('ñandú'), getdatabaseencoding()") == "ÑANDÚ|UTF8"


def test_two_run_beside_each_other(own_postgres: Postgres, postgres: Postgres) -> None:
    _ask(own_postgres, "CREATE TABLE only_here (id int)")
    assert _ask(postgres, "SELECT to_regclass('only_here')") == ""


def test_its_process_is_the_server_itself(postgres: Postgres) -> None:
    assert Path(f"/proc/{postgres.pid}/comm").read_text().strip() == "postgres"


def test_does_not_run_as_root(postgres: Postgres) -> None:
    status = Path(f"/proc/{postgres.pid}/status").read_text().splitlines()
    [users] = [line.split()[1:] for line in status if line.startswith("Uid:")]
    [groups] = [line.split()[1:] for line in status if line.startswith("Groups:")]
    assert "0" not in users + groups


def test_a_taken_port_is_said_in_its_own_words(postgres: Postgres, tmp_path: Path) -> None:
    late = Postgres(tmp_path, postgres.port, temporary=True)
    late.spawn()
    assert late.wait() == 1
    assert "Address already in use" in late.last_words()
    late.remove_data()


def test_an_unfinished_data_directory_is_made_anew(tmp_path: Path) -> None:
    server = Postgres(tmp_path, free_port(), temporary=True)
    unfinished = server.data.with_name("db.unfinished")
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18")
    with server:
        assert _ask(server, "SELECT 1") == "1"


def test_a_file_of_a_process_id_that_another_program_has_now_is_no_obstacle(own_postgres: Postgres) -> None:
    with subprocess.Popen(["sleep", "60"], **own_postgres._identity()) as other:  # noqa: S607 - ours
        own_postgres.kill()
        file = own_postgres.data / "postmaster.pid"
        file.write_text(file.read_text().replace(file.read_text().split()[0], str(other.pid), 1))
        own_postgres.start()
        other.kill()


def test_says_why_it_does_not_start(tmp_path: Path) -> None:
    server = Postgres(tmp_path, free_port(), temporary=True)
    server.data.mkdir()
    with pytest.raises(ServerNotReadyError, match=r"PostgreSQL did not start; .*server\.log ends with"):
        server.start()
    server.remove_data()


def test_a_missing_one_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for folder in ("WHEELS", "_DEBIAN_FOLDER"):
        monkeypatch.setattr(f"dev_stack.servers.postgres_binaries.{folder}", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match=r"^PostgreSQL is missing: .* DATABASE_URL\.$"):
        Postgres.install()


def test_does_not_outlive_whoever_started_it(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time; from dev_stack.servers.postgres import Postgres\n"
        "server = Postgres(pathlib.Path(sys.argv[1]), int(sys.argv[2]), temporary=True); server.start()\n"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(tmp_path), str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as starter:  # noqa: S603 - ours
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        starter.kill()
    server = Postgres(tmp_path, free_port(), temporary=True)
    with server:
        assert not Path(f"/proc/{pid}/exe").exists()


@as_root
def test_folders_above_stay_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    modes = [path.stat().st_mode for path in (folder, *folder.parents)]
    with Postgres(folder, free_port(), temporary=True) as server:
        assert _ask(server, "SELECT 1") == "1"
        assert server.data.stat().st_mode & 0o777 == 0o700
        assert server.data.owner() == "nobody"
    assert [path.stat().st_mode for path in (folder, *folder.parents)] == modes


@as_root
def test_binaries_that_others_cannot_reach_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    for part in (BINARIES.parent, LIBRARIES):
        (private / part).parent.mkdir(exist_ok=True)
        (private / part).symlink_to(WHEELS / part)
    monkeypatch.setattr("dev_stack.servers.postgres_binaries.WHEELS", private)
    with Postgres(tmp_path, free_port(), temporary=True) as server:
        assert Path(f"/proc/{server.pid}/exe").readlink().is_relative_to(server.data.parent)


@as_root
def test_temporary_data_is_removed_at_the_end(tmp_path: Path) -> None:
    with Postgres(tmp_path, free_port(), temporary=True) as server:
        data = server.data
        assert data.parent.parent == Path("/var/tmp")  # noqa: S108 - named, not written to
    assert not data.parent.exists()


@as_root
def test_lasting_data_lies_where_nobody_tidies_up(tmp_path: Path) -> None:
    server = Postgres(tmp_path, free_port())
    try:
        assert server.data.parent.parent == Path("/var/lib")
        assert server.data == Postgres(tmp_path, free_port()).data
        assert pwd.getpwuid(server.data.parent.stat().st_uid).pw_name == "nobody"
    finally:
        server.data.mkdir()
        server.remove_data()
