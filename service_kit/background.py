"""What tasks in the background share."""

import asyncio


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, but no longer; whether it was set."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
