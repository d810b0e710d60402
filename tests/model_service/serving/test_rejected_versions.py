"""A version that cannot be served is rejected with the reason, and the others stay in service."""

from __future__ import annotations

import errno
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_service.serving.model import Model
from model_service.serving.repository import LOADED_VERSIONS, Repository
from model_service.serving.version_folder import VersionFolder, scan
from tests.model_service.serving.versions import Write, served


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
    assert repository.rejected == {"forecast/2": "its weights are missing"}
    (folder / "model.json").write_text(json.dumps({"window": 6, "horizon": 2}))  # mended
    repository.refresh()
    assert served(repository)["/"] == "forecast/2"
    assert repository.rejected == {}


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
    assert repository.rejected == {"forecast/2": "IndexError: tuple index out of range"}
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
    (reason,) = repository.rejected.values()
    assert reason.startswith(f"{folder} has no model.json, but forecast/2 has: it is not complete")
    (folder / "model.json").write_text(described)
    repository.refresh()
    assert served(repository)["/"] == "forecast/3"
    (write(1) / "model.json").unlink()  # a foreign model, which one of fncast replaced
    (write(1, name="foreign") / "model.json").unlink()
    repository.refresh()
    assert set(served(repository)) >= {"/forecast/1", "/foreign"}


def forbid(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the methods of Path fail in a folder, as for a user who may not read it."""

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Path, *words: Any, **options: Any) -> Any:
            if folder in path.parents or (path == folder and method.__name__ == "iterdir"):
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return method(path, *words, **options)

        return call

    for name in ("stat", "open", "iterdir"):
        patch.setattr(Path, name, guarded(getattr(Path, name)))


def test_a_version_that_may_not_be_read_does_not_stop_the_others(
    new_repository: Any, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training may run as another user, whose files others may not read."""
    write(1)
    folder = write(2)
    with monkeypatch.context() as patch:
        forbid(patch, folder)
        repository = new_repository()
        repository.refresh()
        assert served(repository)["/"] == "forecast/1"
        [reason] = repository.rejected.values()
        assert "model.json cannot be read" in reason
        assert "Permission denied" in reason
    repository.refresh()
    assert served(repository)["/"] == "forecast/2"


def test_a_model_that_may_not_be_read_keeps_its_versions_and_does_not_stop_other_models(
    new_repository: Any, write: Write, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write(1, "private").parent
    repository = new_repository()
    repository.refresh()
    with monkeypatch.context() as patch:
        forbid(patch, folder)
        write(1)
        for _ in range(2):
            assert repository.refresh() == []
        assert set(served(repository)) >= {"/private", "/forecast"}
        with pytest.raises(PermissionError):
            scan(folder.parent)
    assert caplog.text.count(f"{folder} cannot be read") == 1
    shutil.rmtree(folder)
    assert [str(model) for model in repository.refresh()] == ["private/1"]


def test_many_broken_versions_do_not_displace_a_working_one(new_repository: Any, write: Write) -> None:
    write(1)
    repository = new_repository()
    repository.refresh()
    for version in range(2, LOADED_VERSIONS + 4):
        write(version, reason="its weights are missing")
    assert repository.refresh() == []
    assert served(repository)["/"] == "forecast/1"
    assert len(repository.rejected) == LOADED_VERSIONS + 2
    afresh = new_repository()
    afresh.refresh()
    assert served(afresh)["/"] == "forecast/1"


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
    assert "model.json says horizon 12" in repository.rejected["forecast/1"]


def test_a_loaded_version_survives_broken_files(new_repository: Any, write: Write) -> None:
    folder = write(1)
    repository = new_repository()
    repository.refresh()
    (folder / "model.json").write_text("{")
    assert repository.refresh() == []
    assert served(repository)["/"] == "forecast/1"
    assert "not JSON" in repository.rejected["forecast/1"]
