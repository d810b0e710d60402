"""The repository follows versions that are added and removed on disk."""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_service.serving.model import Model
from model_service.serving.repository import LOADED_VERSIONS, Repository
from model_service.serving.runtimes.runtime import UnusableModel
from model_service.serving.version_folder import VersionFolder, scan

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


@pytest.fixture
def new_repository(models: Path, fake_runtime: Any) -> Callable[..., Repository]:
    def make(**settings: Any) -> Repository:
        def load(folder: VersionFolder) -> Model:
            details = folder.details()
            if "reason" in details:
                raise UnusableModel(details["reason"])
            return Model(folder.name, folder.version, fake_runtime(), folder.document(), details)

        return Repository(models, load, **settings)

    return make


def served(repository: Repository) -> dict[str, str]:
    return {path: str(model) for path, model in repository.paths.items()}


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


def test_a_broken_version_is_rejected_once_and_the_old_one_stays(
    new_repository: Any, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write(1)
    repository = new_repository()
    repository.refresh()
    folder = write(2, reason="its weights are missing")
    with caplog.at_level(logging.ERROR):
        repository.refresh()
        repository.refresh()
    assert [record.getMessage() for record in caplog.records] == [
        "forecast/2 is rejected and not served: its weights are missing"
    ]
    assert served(repository)["/"] == "forecast/1"
    assert repository.refused == {"forecast/2": "its weights are missing"}
    (folder / "model.json").write_text(json.dumps({"window": 6, "horizon": 2}))  # mended
    repository.refresh()
    assert served(repository)["/"] == "forecast/2"
    assert repository.refused == {}


def test_any_error_of_a_broken_version_does_not_stop_the_others(
    models: Path, write: Write, fake_runtime: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def load(folder: VersionFolder) -> Model:
        if folder.version == 2:
            raise IndexError("tuple index out of range")
        return Model(folder.name, folder.version, fake_runtime(), folder.document(), folder.details())

    write(1)
    write(2)
    repository = Repository(models, load)
    repository.refresh()
    repository.refresh()
    assert served(repository)["/"] == "forecast/1"
    assert repository.refused == {"forecast/2": "IndexError: tuple index out of range"}
    [record] = caplog.records
    assert record.exc_info is not None
    write(3)
    repository.refresh()
    assert served(repository)["/"] == "forecast/3"


def test_a_version_without_model_json_is_incomplete_if_an_older_one_has_it(
    new_repository: Any, write: Write
) -> None:
    """A function would not know its quantiles and could not forecast any event."""
    write(2)
    repository = new_repository()
    repository.refresh()
    folder = write(3)
    described = (folder / "model.json").read_text()
    (folder / "model.json").unlink()
    repository.refresh()
    assert served(repository)["/"] == "forecast/2"
    (reason,) = repository.refused.values()
    assert reason.startswith(f"{folder} has no model.json, but forecast/2 has: it is not complete")
    (folder / "model.json").write_text(described)
    repository.refresh()
    assert served(repository)["/"] == "forecast/3"
    (write(1) / "model.json").unlink()  # a foreign model, which ours took the place of
    (write(1, name="foreign") / "model.json").unlink()
    repository.refresh()
    assert set(served(repository)) >= {"/forecast/1", "/foreign"}


def test_many_broken_versions_do_not_displace_a_working_one(new_repository: Any, write: Write) -> None:
    write(1)
    repository = new_repository()
    repository.refresh()
    for version in range(2, LOADED_VERSIONS + 4):
        write(version, reason="its weights are missing")
    assert repository.refresh() == []
    assert served(repository)["/"] == "forecast/1"
    assert len(repository.refused) == LOADED_VERSIONS + 2
    afresh = new_repository()
    afresh.refresh()
    assert served(afresh)["/"] == "forecast/1"


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


def test_a_model_json_with_another_window_is_loaded_like_a_new_version(
    new_repository: Any, write: Write
) -> None:
    folder = write(1)
    repository = new_repository()
    repository.refresh()
    before = repository.paths["/"]
    (folder / "model.json").write_text(json.dumps({"window": 6, "horizon": 12}))
    assert repository.refresh() == []
    assert repository.paths["/"] is before
    assert "model.json says horizon 12" in repository.refused["forecast/1"]


def test_a_loaded_version_survives_broken_files(new_repository: Any, write: Write) -> None:
    folder = write(1)
    repository = new_repository()
    repository.refresh()
    (folder / "model.json").write_text("{")
    assert repository.refresh() == []
    assert served(repository)["/"] == "forecast/1"
    assert "not JSON" in repository.refused["forecast/1"]


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
def test_which_model_the_root_path_addresses(
    new_repository: Any, write: Write, names: list[str], default: str | None, expected: str | None
) -> None:
    for name in names:
        write(1, name)
    repository = new_repository(default=default)
    repository.refresh()
    assert served(repository).get("/") == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"[1]", "not a JSON object"), (b"\xff", "cannot be read"), (b" " * 2_000_000, "longer")],
)
def test_an_invalid_model_json(models: Path, write: Write, content: bytes, reason: str) -> None:
    (write(1) / "model.json").write_bytes(content)
    (folder,) = scan(models)
    with pytest.raises(UnusableModel, match=reason):
        folder.details()
