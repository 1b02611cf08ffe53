import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from service_kit.accounts.signing_keys import development_keys, new_key, signing_keys_in

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LONG = base64.b64encode(b"x" * 32).decode()


def test_the_first_key_signs_and_all_are_kept() -> None:
    keys = signing_keys_in(SecretStr(f" b:{LONG} , a:{base64.urlsafe_b64encode(bytes(range(200, 240))).decode()}"))
    assert keys.kid == "b"
    assert keys.signing == b"x" * 32
    assert keys.by_kid["a"] == bytes(range(200, 240))


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("", "name at least one key"),
        (",", "name at least one key"),
        (LONG, "write key 1 as kid:base64"),
        (f"a:{LONG},ñ:{LONG}", "write key 2 as kid:base64"),
        (f"a:{LONG},a:{LONG}", "two keys are named a"),
        ("a:c2hvcnQ=", "key 1 has less than 32 bytes"),
        ("a:!!!", "key 1 is no base64"),
    ],
)
def test_a_wrong_setting_is_told_in_a_sentence_without_the_key(setting: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        signing_keys_in(SecretStr(setting))
    assert LONG not in str(caught.value)


def test_a_key_does_not_stand_in_its_text() -> None:
    assert "xxx" not in repr(signing_keys_in(SecretStr(f"a:{LONG}")))


def test_a_new_key_is_named_by_its_day() -> None:
    made = new_key(NOW)
    assert made.startswith("2026-11-24-")
    assert len(signing_keys_in(SecretStr(made)).signing) == 48


def test_development_keeps_its_key_which_others_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / ".data" / "things.jwt_keys"
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: development_keys(path, NOW), range(8)))
    assert len({keys.signing for keys in made}) == 1
    assert development_keys(path, NOW) == made[0]
    assert path.stat().st_mode & 0o077 == 0
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_where_nothing_can_be_written_a_key_is_in_memory_and_the_log_says_so(tmp_path: Path) -> None:
    (tmp_path / ".data").write_text("no folder")  # root, who may be running this, could write into any folder

    with capture_logs() as logs:
        keys = development_keys(tmp_path / ".data" / "things.jwt_keys", NOW)

    assert len(keys.signing) == 48
    assert [line["event"] for line in logs] == ["jwt_key_in_memory"]
