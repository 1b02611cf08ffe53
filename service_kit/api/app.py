"""`create_app`: what every API has, the same everywhere."""

from collections.abc import Callable, Collection, Mapping, Sequence

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from service_kit.api.api_key import api_key_guard
from service_kit.api.docs_page import DOCS, docs_router
from service_kit.api.fast_path import FastPath, FastPathMiddleware, ReraiseRoute
from service_kit.api.guards import Guard, Guarded
from service_kit.api.home import home_routes
from service_kit.api.http_rules import HttpRulesMiddleware
from service_kit.api.openapi import document_problems
from service_kit.api.problem_handlers import UnhandledErrorMiddleware, add_problem_handlers
from service_kit.api.request_body import RequestBodyMiddleware
from service_kit.api.request_stream import streamed_paths
from service_kit.api.request_timing import TimingMiddleware, is_quiet
from service_kit.observability.health import health_routes
from service_kit.observability.logs import configure_logs
from service_kit.observability.loop_lag import LoopWatch
from service_kit.observability.tracing import configure_tracing
from service_kit.resources import Resource, Services, all_running
from service_kit.settings.keys import KeyIdentities
from service_kit.settings.process import ApiKeySettings, ApiSettings


class _Api(FastAPI):
    """An API whose fast paths lie around all that the framework wraps an app into."""

    _around: Callable[[ASGIApp], ASGIApp] = staticmethod(lambda app: app)

    def open_fast_paths(self, guarded: Sequence[Guarded], limit_bytes: int) -> None:
        """Serve the plain cases of some routes by the fast paths among these, if there are any."""
        paths = [(one.router, one.admits) for one in guarded if isinstance(one.router, FastPath)]
        if paths:
            self.router.routes.insert(0, ReraiseRoute())
            self._around = lambda app: FastPathMiddleware(app, paths, limit_bytes)

    def build_middleware_stack(self) -> ASGIApp:
        """As FastAPI does, with the paths around it."""
        return self._around(super().build_middleware_stack())


def create_app(  # noqa: PLR0913 - all that an API is, by keyword
    settings: ApiSettings,
    *,
    description: str,
    routers: Sequence[APIRouter | FastPath | Guarded],
    guard: Guard | None = None,
    resources: Sequence[Resource] = (),
    services: Sequence[object] = (),
    tags: Mapping[str, str] | None = None,
    home: str = DOCS,
) -> FastAPI:
    """Build an API.

    Args:
        settings: Keys, body limit, logs and traces.
        description: What `/docs` says of it, in Markdown.
        routers: Its routes. Fast paths serve the plain cases of busy ones; not while requests are traced, which is
            FastAPI's part.
        guard: Who may call routers that name no guard; by default the bearers of the settings' keys, if there are any.
        resources: What it stands on: started in this order, stopped in the reverse one. Their checks are what
            `/health/ready` asks, and their translations make drivers' errors ours.
        services: What routes ask for by `provided`, beside the resources and the settings.
        tags: What the documentation says of each of the routers' tags.
        home: Where `/` leads.

    Raises:
        TypeError: Nothing says who may call a router.
    """
    configure_logs(settings)
    configure_tracing(settings)
    checks = [check for resource in resources for check in resource.checks]
    translations = {kind: to_ours for one in resources for kind, to_ours in one.translations.items()}
    app = _Api(
        title=settings.service,
        description=description,
        lifespan=lambda _: all_running([LoopWatch(), *resources]),
        redirect_slashes=False,
        docs_url=None,  # ours instead
        redoc_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
        openapi_tags=[{"name": name, "description": text} for name, text in (tags or {}).items()],
        servers=[{"url": "/", "description": "The service that has sent this document."}],
        contact={"name": "Whoever runs this service"},
        license_info={"name": "MIT", "identifier": "MIT"},
        telemetry={"metrics": False, "logs": False, "operation_spans": False, "exclude": is_quiet},
    )
    app.state.settings = settings
    keys = settings.api_keys if isinstance(settings, ApiKeySettings) else ()
    app.state.services = Services(settings, KeyIdentities(keys), *resources, *services)
    guarded = [one if isinstance(one, Guarded) else Guarded(one, _own_guard(settings, guard)) for one in routers]
    guards = {one.guard for one in guarded if one.guard}
    for one in guarded:
        if isinstance(one.router, APIRouter):
            app.include_router(one.router, dependencies=one.dependencies)
    _add_pages(app, settings, home)
    app.router.routes.extend(health_routes(checks, settings.metrics_keys))
    add_problem_handlers(app, translations)
    streamed = {path for one in guarded if isinstance(one.router, APIRouter) for path in streamed_paths(one.router)}
    _add_middleware(app, settings, streamed, guards)
    if not settings.otel_exporter_otlp_endpoint:
        app.open_fast_paths(guarded, settings.max_body_bytes)
    document_problems(app, guards=guards, stored=bool(translations))
    return app


def _add_pages(app: FastAPI, settings: ApiSettings, home: str) -> None:
    if settings.docs:
        app.include_router(docs_router(app.title))
    app.router.routes.extend(home_routes(home if settings.docs or home != DOCS else None))


def _own_guard(settings: ApiSettings, guard: Guard | None) -> Guard | None:
    if guard:
        return guard
    if isinstance(settings, ApiKeySettings):
        return api_key_guard(settings.api_keys)
    raise TypeError("Who may call? Name a guard, or let the settings have keys.")


def _add_middleware(app: FastAPI, settings: ApiSettings, streamed: Collection[str], guards: Collection[Guard]) -> None:
    """Innermost first: each one sees the answers of those above it in this list."""
    app.add_middleware(RequestBodyMiddleware, limit_bytes=settings.max_body_bytes, streamed_paths=streamed)
    app.add_middleware(UnhandledErrorMiddleware)
    app.add_middleware(HttpRulesMiddleware, guarded_by=sorted({guard.header for guard in guards}))
    app.add_middleware(TimingMiddleware)
