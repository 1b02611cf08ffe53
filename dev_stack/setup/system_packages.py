"""Installs Debian's packages where we may, and says in one sentence what to install where we may not.

Standard library only: it also serves the set-up that makes the virtual environment.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from dev_stack.errors import StackError

# Debian starts a service on installing it, unless this policy forbids it (policy-rc.d, Debian's invoke-rc.d(8)). Ours
# stands only meanwhile, whatever happens; the one that was there returns. Nor shall the service start at the next boot:
# it was installed for private nodes.
_INSTALL: Final = """
set -e
policy=/usr/sbin/policy-rc.d
restore() { rm -f $policy; [ ! -e $policy.kept ] || mv $policy.kept $policy; }
trap restore EXIT
trap 'exit 1' HUP INT TERM
[ ! -e $policy ] || [ -e $policy.kept ] || mv $policy $policy.kept
printf '#!/bin/sh\\nexit 101\\n' > $policy
chmod 755 $policy
export DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes
apt-get update -qq
apt-get install -qq --yes --no-install-recommends "$@" > /dev/null
for package in "$@"; do
    [ ! -e /etc/init.d/$package ] || update-rc.d $package disable > /dev/null 2>&1 || true
done
"""


class PackagesMissingError(StackError):
    """Something has to be installed by hand."""


def install_packages(packages: Sequence[str], *, needed_for: str, otherwise: str) -> None:
    """Install Debian packages as root or by sudo.

    Args:
        packages: Their names.
        needed_for: What does not work without them.
        otherwise: What to do instead of installing them, for the sentence of a failure.

    Raises:
        PackagesMissingError: When we may not, or apt fails.
    """
    names = " ".join(packages)
    rights = _rights()
    if rights is not None:
        print(f"Installing {names}, which {needed_for} needs …", flush=True)
    if rights is None or subprocess.run([*rights, "sh", "-c", _INSTALL, "sh", *packages], check=False).returncode:  # noqa: S603
        raise PackagesMissingError(
            f"{needed_for} needs {names}, which could not be installed from here: "
            f"run `apt-get install {names}` as root, or {otherwise}."
        )


def _rights() -> list[str] | None:
    """The prefix that makes us root; none where nobody lets us install."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    return _sudo()


def _sudo() -> list[str] | None:
    if shutil.which("sudo") is None:
        return None
    if sys.stdin.isatty():
        return ["sudo"]  # it may ask for the password
    unasked = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True)  # noqa: S607 - found above
    return None if unasked.returncode else ["sudo", "-n"]
