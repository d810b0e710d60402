"""The documentation site in a browser, opened from disk as `make docs` leaves it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_tab import BrowserTab

ROOT = Path(__file__).parents[3]
LAPTOP = {"width": 1280, "height": 800}

pytestmark = [pytest.mark.integration, pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture
def start_page(browser: Any, site: Path) -> Iterator[BrowserTab]:
    tab = BrowserTab(browser, f"file://{site}/index.html", viewport=LAPTOP)
    yield tab
    tab.close()


def test_its_search_needs_neither_a_server_nor_an_outside_address(start_page: BrowserTab) -> None:
    start_page.tab.click("input[name=query]")
    start_page.tab.keyboard.type("min_readings")
    results = "[...document.querySelectorAll('.md-search-result__link')].map((link) => link.href)"
    start_page.until(f"{results}.some((address) => address.includes('settings.html'))")
    assert [url for url in start_page.requests if not url.startswith(("file:", "data:"))] == []
    assert start_page.complaints == []


def test_the_widest_picture_is_not_cut_off_on_a_laptop(start_page: BrowserTab, site: Path) -> None:
    start_page.tab.goto(f"file://{site}/architecture.html")
    code = "[...document.querySelectorAll('pre > code')]"
    assert start_page.value(f"{code}.filter((block) => block.scrollWidth > block.clientWidth).length") == 0
    assert start_page.value(f"{code}.length") >= 2
