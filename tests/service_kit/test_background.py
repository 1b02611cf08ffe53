import asyncio

import pytest
from structlog.testing import capture_logs

from service_kit.background import reason_of, repeating, text_of
from tests.support.rabbit_support import until


class Step:
    """Fails at first, then works."""

    __name__ = "step"

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.worked = 0

    async def __call__(self) -> None:
        await asyncio.sleep(0)
        if self._errors:
            raise self._errors.pop(0)
        self.worked += 1


async def test_repeats_each_step_until_the_block_ends() -> None:
    first, second = Step(), Step()

    async with repeating(first, second, failure="step_failed"):
        await until(lambda: min(first.worked, second.worked) > 2)
    worked = first.worked
    await asyncio.sleep(0.01)

    assert first.worked == worked


async def test_logs_an_error_waits_and_goes_on() -> None:
    step = Step(ValueError("odd"))

    with capture_logs() as logs:
        async with repeating(step, failure="step_failed", again_seconds=0.01, about={"database": "notes"}):
            await until(lambda: step.worked > 0)

    assert logs == [
        {
            "event": "step_failed",
            "log_level": "warning",
            "database": "notes",
            "step": "step",
            "error": "ValueError: odd",
            "again_in_seconds": 0.01,
        }
    ]


async def test_leaves_errors_to_whoever_logs_them_already() -> None:
    step = Step(ValueError("odd"))

    with capture_logs() as logs:
        async with repeating(step, failure="step_failed", again_seconds=0, silent=(ValueError,)):
            await until(lambda: step.worked > 0)

    assert logs == []


async def test_ends_its_steps_when_the_block_fails() -> None:
    before = asyncio.all_tasks()

    with pytest.raises(KeyError):
        async with repeating(Step(), failure="step_failed"):
            raise KeyError

    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("swallows", [True, False], ids=["swallows it", "raises something else"])
async def test_ends_a_step_whose_driver_hides_the_cancellation(swallows: bool) -> None:  # noqa: FBT001 - of the test
    waits = asyncio.Event()

    async def step() -> None:
        try:
            waits.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if not swallows:
                raise ConnectionError("closed") from None

    with capture_logs() as logs:
        async with asyncio.timeout(5), repeating(step, failure="step_failed"):
            await waits.wait()

    assert logs == []


def test_cuts_off_what_an_error_says() -> None:
    error = ValueError("x" * 1000)

    assert (len(text_of(error)), len(reason_of(error))) == (400, 400)
    assert reason_of(error).startswith("ValueError: x")
    assert (text_of(ValueError()), text_of(ValueError("odd"))) == ("ValueError", "odd")
