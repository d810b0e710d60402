from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from model_service.serving.runtimes.runtime import UnusableModel
from model_service.serving.version_folder import hashes_of, is_model_name, scan
from tests.model_service.serving.versions import Write


def test_other_names_are_ignored(models: Path, write: Write) -> None:
    write(1)
    for version in (".writing-2", "2.tmp", "v3", "0", "007", "-1", "\u0663", "9" * 30):
        write(version)
    for name in ("Forecast", "v2", "metrics", "control", "_x", "1st", ".git"):
        write(1, name)
    (models / "forecast" / "4").touch()
    (models / "notes").touch()
    assert [str(folder) for folder in scan(models)] == ["forecast/1"]


def test_model_names_are_lower_case_and_not_paths_of_the_server() -> None:
    assert is_model_name("a-b_9")
    assert not any(map(is_model_name, ["", "A", "9a", "a/b", "a.b", "healthz", "readyz", "a\n"]))


def test_a_version_without_one_of_its_sizes_is_not_whole(models: Path, write: Write) -> None:
    """The service would forecast long windows with the network for short ones."""
    names = ("model-64.tflite", "model-512.tflite")
    folder = write(1)
    for name in names:
        (folder / name).write_bytes(name.encode())
    (folder / "model.json").write_text(json.dumps({"window": None, "files_sha256": hashes_of(folder)}))
    scan(models)[0].check_whole(())
    (folder / "model-512.tflite").unlink()
    with pytest.raises(UnusableModel, match=r"model-512\.tflite is missing, but model\.json names it"):
        scan(models)[0].check_whole(())


def test_a_version_differs_after_its_file_may_be_read(
    models: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a rejected version is tried again."""
    (write(1) / "model.tflite").write_bytes(b"TFL3")
    assert scan(models) == scan(models)
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: path.name != "model.tflite")
        (before,) = scan(models)
    assert scan(models) != [before]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"[1]", "not a JSON object"), (b"\xff", "cannot be read"), (b" " * 2_000_000, "longer")],
)
def test_an_invalid_model_json_makes_the_version_unusable(
    models: Path, write: Write, content: bytes, reason: str
) -> None:
    (write(1) / "model.json").write_bytes(content)
    (folder,) = scan(models)
    with pytest.raises(UnusableModel, match=reason):
        folder.details()
