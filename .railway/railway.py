"""The whole Railway project: `railway config plan` shows what it would change, `railway config apply` changes it.

Railway's CLI evaluates this file; a deploy does not read it, and must not know of it. Guide: docs/railway.md.
The SDK drops a keyword that it does not know without a word, so tests/railway asserts on every field that matters.
"""

from typing import Final

from railway_sdk import Project, Service, define_railway, github, mongo, postgres, project, service, volume

REPOSITORY: Final = "your-account/delivered"  # a fork changes this line
REGION: Final = "us-east4-eqdc4a"  # of all: a volume lies where its service runs, and to move one is destructive
REPLICAS: Final = 1  # of each service of ours; all of them may run more than once

# The reasons stand in railway.toml, which says the same of a service that is set up by hand.
DEPLOY: Final = {
    "healthcheckPath": "/health/ready",
    "healthcheckTimeout": 300,
    "restartPolicyType": "ALWAYS",
    "overlapSeconds": 10,
    "drainingSeconds": 30,
}


# Who has an account at the broker: deploy/rabbitmq/definitions.
ACCOUNTS: Final = ("orders_service", "notifications_service", "passengers_service", "reservations_service")


def password_of(name: str) -> str:
    """The variable with the password of a service's accounts."""
    return f"{name.upper()}_PASSWORD"


def at_broker(name: str, address: object) -> dict[str, object]:
    """The broker's address, and a service's account there."""
    password = f"${{{{shared.{password_of(name)}}}}}"
    return {"RABBITMQ_URL": address, "RABBITMQ_USER": name, "RABBITMQ_PASSWORD": password}


def our_service(name: str, port: int, env: dict[str, object], *, before: str | None = None) -> Service:
    """A service that is built from this repository: one line in `main`.

    Args:
        name: Of the service, its folder and its address.
        port: The same as locally; fixed, so that the public domain and other services know it.
        env: What it needs beside the variables that all have.
        before: A command that each deploy runs first, in the new image; if it fails, the old deploy stays.
    """
    dockerfile = f"{name}/Dockerfile"
    everywhere = {
        "ENVIRONMENT": "production",
        "HOST": "*",
        "LOG_FORMAT": "json",  # Railway shows a line's `message`, and filters by the other fields
        "PORT": str(port),
        "RAILWAY_DOCKERFILE_PATH": dockerfile,  # what a service by hand uses; so that a plan adopts it unchanged
    }
    return service(
        name,
        source=github(REPOSITORY),
        build={
            "builder": "DOCKERFILE",
            "dockerfilePath": dockerfile,
            "watchPatterns": [f"/{name}/**", "/service_kit/**"],
        },
        deploy={**DEPLOY, **({"preDeployCommand": [before]} if before else {})},
        replicas={REGION: REPLICAS},
        env={**everywhere, **env},
    )


def on_postgres(name: str, port: int, env: dict[str, object]) -> Service:
    """A service of ours with tables: its database is made and migrated before each deploy."""
    return our_service(name, port, {**env, "DATABASE_NAME": name}, before=f"python -m {name}.init_db")


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
            **{password_of(name): f"${{{{shared.{password_of(name)}}}}}" for name in ACCOUNTS},
            # Names the data folder, host and all. By default the host is the container's, and that is new with every
            # deploy: the broker would start empty beside its old data.
            "RABBITMQ_NODENAME": "rabbit@localhost",
            "RABBITMQ_URL": "amqp://${{RAILWAY_PRIVATE_DOMAIN}}:5672/",
            "PASSENGERS_RABBITMQ_URL": "amqp://${{RAILWAY_PRIVATE_DOMAIN}}:5672/passengers",
        },
    )


@define_railway  # type: ignore[untyped-decorator]  # the SDK has no types
def main(_context: object = None) -> Project:
    """List what the project consists of; what is not listed, an apply deletes."""
    mongodb = mongo("mongodb", region=REGION)
    postgresql = postgres("postgres", region=REGION)
    rabbitmq_data = volume("rabbitmq-data", region=REGION, sizeMB=5000)
    rabbitmq = broker(rabbitmq_data)
    key = {"API_KEY": "${{shared.API_KEY}}"}
    documents = {"MONGODB_URI": mongodb.env.MONGO_URL}
    tables = {"DATABASE_URL": postgresql.env.DATABASE_URL}
    orders = at_broker("orders_service", rabbitmq.env.RABBITMQ_URL)
    notifications = at_broker("notifications_service", rabbitmq.env.RABBITMQ_URL)
    passengers = at_broker("passengers_service", rabbitmq.env.PASSENGERS_RABBITMQ_URL)
    reservations = at_broker("reservations_service", rabbitmq.env.PASSENGERS_RABBITMQ_URL)
    services = [
        our_service("user_service", 8001, {**key, **documents, "MONGODB_DATABASE": "user_service"}),
        our_service("orders_service", 8002, {**key, **documents, **orders, "MONGODB_DATABASE": "orders_service"}),
        our_service("notifications_service", 8003, notifications),
        on_postgres("passengers_service", 8004, {**key, **tables, **passengers}),
        on_postgres("reservations_service", 8005, {**key, **tables, **reservations}),
    ]
    return project("delivered", resources=[mongodb, postgresql, rabbitmq_data, rabbitmq, *services])
