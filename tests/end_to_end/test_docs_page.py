"""`/docs` in a real browser: it renders, asks no other host, and places an order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Page, async_playwright

from dev_stack.setup import chromium
from tests.end_to_end.conftest import Apis


@dataclass
class Visit:
    """A page, and what the browser met.

    Attributes:
        page: The page.
        asked: Addresses that it has asked.
        complaints: What stands in its console: errors, warnings, what the Content-Security-Policy has stopped.
    """

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@asynccontextmanager
async def visiting(url: str) -> AsyncIterator[Visit]:
    # Without a sandbox, because Chromium's own does not work for root, as in containers; it sees our pages alone.
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium.executable(), args=["--no-sandbox"])
        visit = Visit(await browser.new_page())
        visit.page.on("request", lambda request: visit.asked.append(request.url))
        visit.page.on("console", lambda message: visit.complaints.append(message.text))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        await visit.page.goto(url)
        yield visit
        await browser.close()


async def authorize(page: Page, key: str) -> None:
    await page.click("button.authorize")
    await page.fill(".auth-container input", key)
    await page.click(".auth-container button.authorize")
    await page.click(".auth-container button.btn-done")


async def execute(page: Page, summary: str) -> str:
    """Send the example of an operation as it is; the answer's status."""
    operation = page.locator(".opblock").filter(has_text=summary)
    if await operation.get_by_role("button", name="Execute").count() == 0:
        await operation.locator(".opblock-summary-control").click()
        await operation.get_by_role("button", name="Try it out").click()
    async with page.expect_response("**/orders") as answer:
        await operation.get_by_role("button", name="Execute").click()
    await operation.locator(".live-responses-table .response").wait_for()
    return str((await answer.value).status)


async def test_places_an_order_with_the_key_and_asks_no_other_host(apis: Apis, tmp_path: Path) -> None:
    url = apis.url("orders_service")
    async with visiting(f"{url}/") as visit:
        without = await execute(visit.page, "Place an order")
        await authorize(visit.page, apis.key)
        with_key = await execute(visit.page, "Place an order")
        await visit.page.screenshot(path=tmp_path / "docs.png")

    assert (without, with_key) == ("401", "201")
    assert [address for address in visit.asked if not address.startswith((f"{url}/", "data:"))] == []
    assert [text for text in visit.complaints if "401" not in text] == []
