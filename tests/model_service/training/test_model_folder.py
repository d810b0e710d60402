from pathlib import Path

import pytest

from model_service.training.model_folder import (
    InvalidModelFolder,
    find_version,
    read_model_json,
    versions,
)


def test_errors_say_what_is_missing(models: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidModelFolder, match="contains no version of a model; train one"):
        find_version(tmp_path, "forecast")
    with pytest.raises(InvalidModelFolder, match="no version 9; there are 1"):
        find_version(models, "forecast", 9)
    with pytest.raises(InvalidModelFolder, match="is not a model name"):
        find_version(models, "../etc")
    with pytest.raises(InvalidModelFolder, match="file not found"):
        read_model_json(tmp_path)


def test_folders_that_the_model_service_ignores_are_not_versions(tmp_path: Path) -> None:
    for name in ("2", "10", "0", "007", "9" * 30, "notes", ".writing-3"):
        (tmp_path / "forecast" / name).mkdir(parents=True)
    (tmp_path / "forecast" / "11").touch()
    assert versions(tmp_path, "forecast") == [2, 10]
