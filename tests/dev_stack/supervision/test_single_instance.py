import os
from pathlib import Path

import pytest

from dev_stack.supervision.single_instance import AlreadyRunningError, held
from service_kit.settings.env_files import STACK_LOCK


def test_a_folder_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(AlreadyRunningError, match=f"kill {os.getpid()}`"), held(tmp_path):
        pass


def test_a_folder_can_be_held_again_after_it_was_let_go(tmp_path: Path) -> None:
    with held(tmp_path):
        pass
    with held(tmp_path):
        assert (tmp_path / STACK_LOCK).read_text() == str(os.getpid())
