"""The whole Railway project: `railway config plan` shows what it would change, `railway config apply` changes it.

Railway's CLI evaluates this file; a deploy does not read it, and must not know of it. Guide: docs/railway.md.
The SDK drops a keyword that it does not know without a word, so tests/railway asserts on every field that matters.
"""

import sys
from pathlib import Path
from typing import Final

from railway_sdk import Project, Service, define_railway, github, mongo, postgres, project, service, volume

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # Railway's CLI evaluates this file from anywhere

from dev_stack.services import SERVICES as ROWS
from dev_stack.services import Service as Row

REPOSITORY: Final = "your-account/delivered"  # a fork changes this line
REGION: Final = "us-east4-eqdc4a"  # of all: a volume lies where its service runs, and to move one is destructive
REPLICAS: Final = 1  # of each service of ours; all of them may run more than once

DEPLOY: Final = {
    # "Ready" rather than "live", so that a service with a wrong address of its store does not replace one that works.
    "healthcheckPath": "/health/ready",
    "healthcheckTimeout": 300,  # seconds; in an empty project the stores start at the same moment
    "restartPolicyType": "ALWAYS",  # the default stops after 10 restarts
    "overlapSeconds": 10,  # old and new run side by side while Railway's edge turns to the new one
    "drainingSeconds": 30,  # from SIGTERM to SIGKILL; the default is 0, and ours finish within 20
}


VHOSTS: Final = tuple(dict.fromkeys(row.broker.vhost for row in ROWS if row.broker))


def address_at(vhost: str) -> str:
    """The broker's variable with the address of a virtual host."""
    return "RABBITMQ_URL" if vhost == "/" else f"{vhost.upper()}_RABBITMQ_URL"


def our_service(row: Row, servers: dict[str, Service]) -> Service:
    """A service that is built from this repository.

    Args:
        row: Of the table of services.
        servers: By their keys there.
    """
    dockerfile = f"{row.name}/Dockerfile"
    everywhere = {
        "ENVIRONMENT": "production",
        "HOST": "*",
        "LOG_FORMAT": "json",  # Railway shows a line's `message`, and filters by the other fields
        "PORT": str(row.port),  # the same as locally; fixed, so that the public domain and other services know it
        "RAILWAY_DOCKERFILE_PATH": dockerfile,  # what a service by hand uses; so that a plan adopts it unchanged
    }
    # Run in the new image before each deploy; if it fails, the old deploy stays.
    before = {"preDeployCommand": [f"python {' '.join(row.prepare)}"]} if row.prepare else {}
    return service(
        row.name,
        source=github(REPOSITORY),
        build={
            "builder": "DOCKERFILE",
            "dockerfilePath": dockerfile,
            "watchPatterns": [f"/{row.name}/**", "/service_kit/**"],
        },
        deploy={**DEPLOY, **before},
        replicas={REGION: REPLICAS},
        env={**everywhere, **env_of(row, servers)},
    )


def env_of(row: Row, servers: dict[str, Service]) -> dict[str, object]:
    """Who may call it, where its servers are, and its account there."""
    env: dict[str, object] = {}
    if row.kind == "api":
        secret = "JWT_KEYS" if row.has_accounts else "API_KEY"
        env[secret] = f"${{{{shared.{secret}}}}}"
    if "mongodb" in row.servers:
        env |= {"MONGODB_URI": servers["mongodb"].env.MONGO_URL, "MONGODB_DATABASE": row.name}
    if "postgres" in row.servers:
        env |= {"DATABASE_URL": servers["postgres"].env.DATABASE_URL, "DATABASE_NAME": row.name}
    if row.broker:
        address = getattr(servers["rabbitmq"].env, address_at(row.broker.vhost))
        password = f"${{{{shared.{row.password}}}}}"
        env |= {"RABBITMQ_URL": address, "RABBITMQ_USER": row.name, "RABBITMQ_PASSWORD": password}
    return env


def broker(data: Service) -> Service:
    """RabbitMQ, reached over the private network alone.

    Args:
        data: The volume for its queues. A service with a volume has one replica and restarts with a short gap.
    """
    dockerfile = "deploy/rabbitmq/Dockerfile"
    return service(
        "rabbitmq",
        source=github(REPOSITORY),
        build={"builder": "DOCKERFILE", "dockerfilePath": dockerfile, "watchPatterns": ["/deploy/rabbitmq/**"]},
        deploy={"restartPolicyType": "ALWAYS", "drainingSeconds": 60},
        replicas={REGION: 1},
        volumeMounts={"/var/lib/rabbitmq": data},
        env={
            "ENVIRONMENT": "production",
            "RAILWAY_DOCKERFILE_PATH": dockerfile,
            "RABBITMQ_USER": "services",  # the administrator; no service uses it
            # The passwords are made by hand. Not by the context's random_string(): that is a hash of public names. Not
            # by a generator: each apply would change them.
            "RABBITMQ_PASSWORD": "${{shared.RABBITMQ_PASSWORD}}",
            **{row.password: f"${{{{shared.{row.password}}}}}" for row in ROWS if row.broker},
            # Names the data folder, host and all. By default the host is the container's, and that is new with every
            # deploy: the broker would start empty beside its old data.
            "RABBITMQ_NODENAME": "rabbit@localhost",
            **{
                address_at(vhost): f"amqp://${{{{RAILWAY_PRIVATE_DOMAIN}}}}:5672/{vhost.strip('/')}" for vhost in VHOSTS
            },
        },
    )


@define_railway  # type: ignore[untyped-decorator]  # the SDK has no types
def main(_context: object = None) -> Project:
    """List what the project consists of; what is not listed, an apply deletes."""
    mongodb = mongo("mongodb", region=REGION)
    postgresql = postgres("postgres", region=REGION)
    rabbitmq_data = volume("rabbitmq-data", region=REGION, sizeMB=5000)
    rabbitmq = broker(rabbitmq_data)
    servers = {"mongodb": mongodb, "postgres": postgresql, "rabbitmq": rabbitmq}
    services = [our_service(row, servers) for row in ROWS]
    return project("delivered", resources=[mongodb, postgresql, rabbitmq_data, rabbitmq, *services])
