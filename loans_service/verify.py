"""`python -m loans_service.verify`: finds changed or missing entries of histories, and balances that payments deny.

Reads everything, changes nothing. Prints a line for each mistake; ends with status 1 if there is one.
"""

import asyncio
import sys

from loans_service.config.settings import LoansSettings
from loans_service.services.verification import mistakes
from service_kit.postgres.engine import make_engine
from service_kit.settings.environment import load_settings


async def verify(settings: LoansSettings) -> int:
    """Look at the database that `settings` name.

    Returns:
        How many mistakes there are.
    """
    engine, found = make_engine(settings), 0
    try:
        async with engine.connect() as connection:
            async for mistake in mistakes(connection):
                print(mistake)
                found += 1
    finally:
        await engine.dispose()
    print(f"{found} mistakes." if found else "Every history is whole, and every balance is what its payments say.")
    return found


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(verify(load_settings(LoansSettings))) else 0)
