"""The console in a real browser: opened by its address, read, driven by keys, left."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest

from tests.tui.web.chromium import PROGRAM, Tab, tab
from tests.tui.web.program import running
from tests.tui.web.serving import PATIENCE_SECONDS, is_gone, until

ROWS = "document.querySelector('.xterm-accessibility-tree')?.innerText ?? ''"
CONTROL = 2  # the modifier


async def rows(page: Tab, wanted: str, *, without: str = r"\0") -> str:
    """Wait until a row of the terminal begins like one pattern, and none has the other."""
    text, limit = "", time.monotonic() + PATIENCE_SECONDS
    while not re.search(wanted, text, re.MULTILINE) or re.search(without, text):
        assert time.monotonic() < limit, f"no {wanted!r}, or still {without!r}, in: {text}"
        await asyncio.sleep(0.05)
        text = await page.find(ROWS)
    return text


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed: apt-get install chromium")
def test_a_browser_opens_reads_and_drives_the_console(tmp_path: Path) -> None:
    async def go() -> None:
        with running("--plain") as program:
            async with tab(tmp_path / "profile") as page:
                await page.call("Page.navigate", url=program.url)
                await rows(page, r"^maestro\s+nowhere\s+READ-ONLY")
                assert await page.find("location.href") == f"{program.home}/"
                assert await page.find("document.cookie") == "", "scripts do not see the session"
                assert await page.find("document.fonts.check('16px \"Roboto Mono\"')") is True
                await rows(page, "ten keys")  # what greets at the first start
                await page.press("Escape", windowsVirtualKeyCode=27)
                await rows(page, r"^incidents", without="ten keys")
                await page.press(":")
                await rows(page, r"^:")
                for letter in "nodes":
                    await page.press(letter)
                await rows(page, r"^:\s*nodes")
                await page.press("Enter", text="\r", windowsVirtualKeyCode=13)
                await rows(page, r"^incidents › nodes")
                (console,) = program.consoles()
                await page.press("q", modifiers=CONTROL, windowsVirtualKeyCode=81)
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while not await page.find("document.body.classList.contains('-closed')"):
                        await asyncio.sleep(0.05)
                await until(lambda: is_gone(console))
                assert "Open it again" in await page.find("document.body.innerText")
                assert page.complaints == []
                asked = [one for one in page.requested if not one.startswith((f"{program.home}/", "data:"))]
                assert asked == [], "it asks this server for everything"

    asyncio.run(go())
