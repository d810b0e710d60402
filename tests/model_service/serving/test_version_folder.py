from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_service.serving.version_folder import is_model_name, scan

Write = Callable[..., Path]


@pytest.fixture
def write(models: Path) -> Write:
    """write(version, name=…, **details) writes a version folder that only contains model.json."""

    def put(version: int | str, name: str = "forecast", **details: Any) -> Path:
        folder = models / name / str(version)
        folder.mkdir(parents=True)
        (folder / "model.json").write_text(json.dumps({"window": 6, "horizon": 2, **details}))
        return folder

    return put


def test_other_names_are_ignored(models: Path, write: Write) -> None:
    write(1)
    for version in (".writing-2", "2.tmp", "v3", "0", "007", "-1", "\u0663", "9" * 30):
        write(version)
    for name in ("Forecast", "v2", "metrics", "control", "_x", "1st", ".git"):
        write(1, name)
    (models / "forecast" / "4").touch()
    (models / "notes").touch()
    assert [str(folder) for folder in scan(models)] == ["forecast/1"]


def test_model_names() -> None:
    assert is_model_name("a-b_9")
    assert not any(map(is_model_name, ["", "A", "9a", "a/b", "a.b", "healthz", "readyz", "a\n"]))
