"""The notes API as `python -m service_kit.runtime.serve tests.service_kit.served_notes:app` finds it."""

import asyncio

from service_kit.settings import ApiSettings, load
from tests.service_kit import notes_api

app = notes_api.build(load(ApiSettings))


@app.get("/slow")
async def slow() -> str:
    """Says that it has begun, and needs a little longer."""
    print("begun", flush=True)
    await asyncio.sleep(0.3)
    return "done"
