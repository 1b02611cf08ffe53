"""`python -m dev_stack`."""

from dev_stack.cli import main

main()
