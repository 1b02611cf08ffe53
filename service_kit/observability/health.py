"""`/health/live`, `/health/ready` and `/metrics`: the same for an API and for a worker."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service_kit.observability.metrics import metrics_endpoint
from service_kit.problems import ServiceError
from service_kit.resources import Check

READY: Final = "/health/ready"


def _json(body: Mapping[str, object], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


async def _verdict(check: Check) -> str:
    try:
        async with asyncio.timeout(check.timeout_seconds):
            await check.probe()
    except TimeoutError:
        return "no answer"
    except ServiceError as error:  # whose text is meant for callers
        return error.detail
    except Exception as error:  # noqa: BLE001 - a probe may fail in any way, and the answer says how
        return type(error).__name__
    return "ok"


def health_routes(checks: Sequence[Check], metrics_keys: Sequence[str] = ()) -> list[Route]:
    """The three routes.

    Args:
        checks: Asked at the same moment, on every request for `/health/ready`.
        metrics_keys: Only bearers of one of them read `/metrics`, if there are any.
    """

    async def live(_request: Request) -> Response:
        return _json({"status": "ok"})

    async def ready(_request: Request) -> Response:
        verdicts = await asyncio.gather(*(_verdict(check) for check in checks))
        failed = [check for check, verdict in zip(checks, verdicts, strict=True) if verdict != "ok"]
        missing = any(check.required for check in failed)
        status = "unavailable" if missing else "degraded" if failed else "ok"
        named = {check.name: verdict for check, verdict in zip(checks, verdicts, strict=True)}
        return _json({"status": status, "checks": named}, 503 if missing else 200)

    return [Route("/health/live", live), Route(READY, ready), Route("/metrics", metrics_endpoint(metrics_keys))]
