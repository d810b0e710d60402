"""docs/settings.md and docs/monitor.md show the defaults of all settings."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from consumer.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"
DEFAULTS: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(Settings()))
WITHOUT_DEFAULT = {"windows": {"min", "max"}}


def shown(page: str) -> dict[str, Any]:
    """The settings in the first TOML block of a page."""
    found = re.search(r"```toml\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
    assert found
    return tomllib.loads(found[1])


@pytest.mark.parametrize("section", sorted(set(DEFAULTS) - {"inputs", "alerts", "monitor"}))
def test_the_page_of_settings_shows_each_default(section: str) -> None:
    expected = {
        name: value
        for name, value in DEFAULTS[section].items()
        if name not in WITHOUT_DEFAULT.get(section, ())
    }
    assert shown("settings.md")[section] == expected


def test_the_page_of_the_monitor_shows_each_default() -> None:
    assert shown("monitor.md")["monitor"] == DEFAULTS["monitor"]
