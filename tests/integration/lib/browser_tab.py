"""The live page in a real browser: Debian's Chromium."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_S = 45.0  # for a busy machine
PHONE = {"width": 390, "height": 844}


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser. Without it the test is skipped, or fails if FNCAST_REQUIRE_BROWSER is set."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("FNCAST_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{CHROMIUM} is missing, and FNCAST_REQUIRE_BROWSER=1")
        pytest.skip(f"needs {CHROMIUM} (apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield started
        started.close()


class BrowserTab:
    """A page in a new tab. complaints: the browser's errors and warnings. requests: the URLs that it asked for."""

    def __init__(self, browser: Any, url: str, **context: Any) -> None:
        self._context = browser.new_context(**context)
        self.tab = self._context.new_page()
        self.tab.set_default_timeout(PATIENCE_S * 1000)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.tab.on("console", lambda message: self._note(message.type, message.text))
        self.tab.on("pageerror", lambda error: self._note("error", str(error)))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.goto(url)

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def until(self, condition: str) -> None:
        """Wait for a condition; wait_for_function would evaluate text in the page, which its policy forbids."""
        end = time.monotonic() + PATIENCE_S
        while not self.tab.evaluate(condition):
            assert time.monotonic() < end, f"not in time: {condition}; {self.complaints}"
            self.tab.wait_for_timeout(50)

    def value(self, expression: str) -> Any:
        """The value of an expression in the page's script."""
        return self.tab.evaluate(expression)

    def close(self) -> None:
        self._context.close()
