"""The notes API as `python -m service_kit.runtime.serve tests.support.served_notes:app` finds it."""

import asyncio

from service_kit.settings.environment import load_settings
from tests.support import notes_api
from tests.support.notes_api import NotesSettings

app = notes_api.build(load_settings(NotesSettings))


@app.get("/slow")
async def slow() -> str:
    """Says that it has begun, and needs a little longer."""
    print("begun", flush=True)
    await asyncio.sleep(0.3)
    return "done"
