"""Asks the service in this container whether it is ready: `python -m service_kit.commands.healthcheck`.

For Docker's HEALTHCHECK. Standard library alone, so that a probe every few seconds costs next to nothing.
"""

import os
import sys
import urllib.error
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener


def main(*, answer_seconds: float = 3.0) -> None:
    """Exit with 0 if `/health/ready` answers 200 on `PORT`, else with 1 and the reason."""
    port = os.environ.get("PORT", "").strip() or "8000"
    url = f"http://127.0.0.1:{port}/health/ready"
    direct = build_opener(ProxyHandler({}))  # Docker hands its own proxy to containers
    try:
        with direct.open(url, timeout=answer_seconds) as answer:
            print(answer.read().decode())
    except urllib.error.HTTPError as error:
        sys.exit(error.read().decode())
    except (OSError, HTTPException) as error:
        sys.exit(f"No answer from {url}: {str(error).strip()}")


if __name__ == "__main__":
    main()
