"""A settings file with a text."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "fncast.toml"
        file.write_text(text, "utf-8")
        return file

    return write
