"""A whole stack as a program: `python -m tests.dev_stack.stand_in_stack FOLDER`.

A MongoDB, `alpha` that needs it and is prepared, and `beta` that needs nothing; ports by the usual variables. It is
what `make up` runs, with other services, so that signals can be tried on it.
"""

import os
import sys
from pathlib import Path

from dev_stack.cli import run_stack
from dev_stack.errors import StackError
from dev_stack.services import Service

STAND_IN = str(Path(__file__).with_name("stand_in.py"))
PREPARE = ("-c", "print('prepared')")
ALPHA = Service(name="alpha", command=(STAND_IN, "hello"), prepare=PREPARE, port=1, servers=("mongodb",))
BETA = Service(name="beta", command=(STAND_IN, "hello"), port=1)

if __name__ == "__main__":
    try:
        run_stack([ALPHA, BETA], root=Path(sys.argv[1]), environment=os.environ)
    except StackError as error:
        sys.exit(str(error))
