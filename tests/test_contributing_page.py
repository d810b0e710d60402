"""The examples of CONTRIBUTING.md work as they are written."""

from __future__ import annotations

import re
import sys
import textwrap
import types
from pathlib import Path
from typing import Any

import pytest

from consumer.settings import load

PAGE = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text("utf-8")
INTERCEPTOR, TEST = (
    textwrap.dedent(block) for block in re.findall(r"    ```python\n(.*?)    ```", PAGE, re.DOTALL)
)
SETTINGS = textwrap.dedent(PAGE.split("    ```toml\n", 1)[1].partition("    ```")[0])


async def test_the_interceptor_passes_its_test(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("interceptor.builtin.sampling")
    exec(INTERCEPTOR, module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    names: dict[str, Any] = {}
    exec(TEST, names)
    await names["test_each_tenth_event_is_kept"]()


def test_the_settings_are_valid(tmp_path: Path) -> None:
    file = tmp_path / "fncast.toml"
    file.write_text(SETTINGS)
    assert "interceptor.builtin.sampling:Sampling" in load(file, {}).interceptors.chain
