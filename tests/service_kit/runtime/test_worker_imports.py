from tests.service_kit.conftest import PythonRunner

NEEDED = [
    "settings",
    "problems",
    "observability.logs",
    "observability.tracing",
    "observability.health",
    "runtime.serve",
    "runtime.worker",
]
UNWANTED = {
    "fastapi",
    "beanie",
    "motor",
    "sqlalchemy",
    "asyncpg",
    "alembic",
    "opentelemetry.sdk",
    "opentelemetry.exporter",
    "requests",
}


async def test_a_worker_imports_nothing_that_it_does_not_need(run_python: PythonRunner) -> None:
    modules = ", ".join(f"service_kit.{name}" for name in NEEDED)

    python = await run_python("-c", f"import sys, {modules}; print(sorted({UNWANTED!r} & sys.modules.keys()))")

    assert await python.ends() == 0
    assert python.lines == ["[]"]
