"""Asks the service in this container whether it is ready: `python -m service_kit.probe`, for Docker's HEALTHCHECK.

Standard library alone, so that a probe every few seconds costs next to nothing.
"""

import os
import sys
import urllib.error
import urllib.request
from typing import Final

_ANSWER_SECONDS: Final = 3


def main() -> None:
    """Exit with 0 if `/health/ready` answers 200 on `PORT`, else with 1 and the reason."""
    url = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/health/ready"
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS) as answer:
            print(answer.read().decode())
    except urllib.error.HTTPError as error:
        sys.exit(error.read().decode())
    except OSError as error:
        sys.exit(f"No answer from {url}: {error}")


if __name__ == "__main__":
    main()
