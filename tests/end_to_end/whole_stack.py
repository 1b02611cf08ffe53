"""`make up` in another folder: `python -m tests.end_to_end.whole_stack FOLDER`; ports by the usual variables."""

import os
import sys
from pathlib import Path

from dev_stack.cli import run_stack
from dev_stack.services import SERVICES

if __name__ == "__main__":
    run_stack(SERVICES, root=Path(sys.argv[1]), environment=os.environ)
