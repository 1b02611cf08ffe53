"""The notes API with limits of a test's own, as JSON: `python -m tests.support.served_with_limits LIMITS`."""

import json
import resource
import sys

import structlog

from service_kit.runtime.http_limits import HttpLimits
from service_kit.runtime.serve import Server, listening_socket, server_config
from tests.support.served_notes import app

if __name__ == "__main__":
    limits = json.loads(sys.argv[1])
    if files := limits.pop("descriptors", None):
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    bound = listening_socket("127.0.0.1", 0)
    config = server_config(app, HttpLimits(**limits))
    structlog.get_logger().info("listening", port=bound.getsockname()[1])
    Server(config).run(sockets=[bound])
