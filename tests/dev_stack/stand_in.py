"""A program that stands in for a service: `python stand_in.py [words…]`.

It writes its words, one a line, and answers 200 on every path of `PORT` until SIGTERM. Among the words, `die` ends it
at once with status 3, and `stubborn` makes it deaf to SIGTERM.
"""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        pass


def main(words: list[str]) -> None:
    for word in words:
        print(word)
    if "die" in words:
        sys.exit(3)
    if "stubborn" in words:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with HTTPServer(("127.0.0.1", int(os.environ["PORT"])), _Healthy) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
