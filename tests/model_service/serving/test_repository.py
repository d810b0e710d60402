"""The repository follows versions that are added and removed on disk."""

from __future__ import annotations

import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from model_service.serving.repository import LOADED_VERSIONS
from tests.model_service.serving.versions import Write, served


def test_the_newest_version_is_the_default_and_others_are_served_by_number(
    new_repository: Any, write: Write
) -> None:
    write(2)
    write(10)
    repository = new_repository()
    assert repository.refresh() == []
    assert served(repository) == {
        "/": "forecast/10",
        "/forecast": "forecast/10",
        "/forecast/10": "forecast/10",
        "/forecast/2": "forecast/2",
    }


def test_a_new_version_takes_over_and_the_old_one_stays_by_number(new_repository: Any, write: Write) -> None:
    write(1)
    repository = new_repository()
    repository.refresh()
    before = repository.paths["/"]
    write(2)
    assert repository.refresh() == []
    assert served(repository)["/"] == "forecast/2"
    assert repository.paths["/forecast/1"] is before


def test_nothing_is_loaded_twice(new_repository: Any, write: Write) -> None:
    write(1)
    repository = new_repository()
    repository.refresh()
    before = repository.paths["/"]
    repository.refresh()
    assert repository.paths["/"] is before


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [re.sub(r"loaded in .*", "…)", record.getMessage()) for record in caplog.records]


def test_a_new_model_json_is_read_without_loading_the_model_again(
    new_repository: Any, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    """`fncast train` replaces model.json after the evaluation."""
    folder = write(1)
    repository = new_repository()
    repository.refresh()
    before = repository.paths["/"]
    document = json.dumps({"window": 6, "horizon": 2, "metrics": {"test_relative_mae": 0.5}})
    (folder / "model.json").write_text(document)
    with caplog.at_level(logging.INFO):
        assert repository.refresh() == []
        assert repository.refresh() == []
    assert repository.paths["/"] is repository.paths["/forecast/1"] is before
    assert before.metadata.description == document
    assert before.details["metrics"] == {"test_relative_mae": 0.5}
    assert messages(caplog) == ["forecast/1: model.json was replaced and has been read again"]


def test_replaced_files_are_reloaded_without_reporting_the_version_as_removed(
    new_repository: Any, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write(1)
    repository = new_repository()
    repository.refresh()
    before = repository.paths["/"]
    (folder / "model.tflite").write_bytes(b"other weights")
    with caplog.at_level(logging.INFO):
        assert repository.refresh() == [before]
    assert repository.paths["/"] is not before
    assert messages(caplog) == ["forecast/1 is reloaded, its files were replaced (fake, …)"]


def test_retired_and_removed_versions_go_and_restored_ones_return(new_repository: Any, write: Write) -> None:
    write(1)
    two = write(2)
    three = write(3)
    repository = new_repository()
    repository.refresh()
    (three / "retired").touch()
    assert [str(model) for model in repository.refresh()] == ["forecast/3"]
    assert served(repository)["/"] == "forecast/2"
    shutil.rmtree(two)
    assert [str(model) for model in repository.refresh()] == ["forecast/2"]
    assert served(repository)["/"] == "forecast/1"
    (three / "retired").unlink()
    repository.refresh()
    assert served(repository)["/"] == "forecast/3"
    assert "/forecast/2" not in repository.paths


def test_a_vanished_folder_does_not_end_the_service(
    new_repository: Any, write: Write, models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(1)
    repository = new_repository()
    repository.refresh()
    models.rename(models.with_name("moved"))
    repository.refresh()
    repository.refresh()
    assert served(repository)["/"] == "forecast/1"
    assert len([record for record in caplog.records if "cannot be read" in record.getMessage()]) == 1


def test_a_pinned_version_is_the_default_however_old_it_is(new_repository: Any, write: Write) -> None:
    for version in range(1, LOADED_VERSIONS + 5):
        write(version)
    repository = new_repository(pins={"forecast": 1})
    repository.refresh()
    assert served(repository)["/"] == served(repository)["/forecast"] == "forecast/1"
    loaded = {path for path in repository.paths if path.count("/") == 2}
    assert len(loaded) == LOADED_VERSIONS + 1
    assert "/forecast/2" not in loaded


@pytest.mark.parametrize(
    ("names", "default", "expected"),
    [
        (["load"], None, "load/1"),
        (["load", "forecast"], None, "forecast/1"),
        (["load", "price"], None, None),
        (["load", "price"], "price", "price/1"),
        (["load"], "price", None),
    ],
)
def test_the_root_path_is_the_chosen_model_the_only_one_or_forecast(
    new_repository: Any, write: Write, names: list[str], default: str | None, expected: str | None
) -> None:
    for name in names:
        write(1, name)
    repository = new_repository(default=default)
    repository.refresh()
    assert served(repository).get("/") == expected
