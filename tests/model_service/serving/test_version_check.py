"""The reported state of versions on disk matches what a model service does with them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fncast.cli.main import main
from model_service.serving import version_check
from model_service.serving.repository import LOADED_VERSIONS, Repository, loader
from model_service.serving.runtimes import runtime_choice
from model_service.serving.version_check import states
from model_service.serving.version_folder import hashes_of, scan

Break = Callable[[Path], object]

SAVED_MODEL = "saved_model.pb"


def states_of(models: Path) -> dict[str, str]:
    folders = scan(models)
    return {str(folder): str(state) for folder, state in zip(folders, states(folders), strict=True)}


def without_saved_model(damage: Break) -> Break:
    def both(folder: Path) -> None:
        (folder / SAVED_MODEL).unlink()
        damage(folder)

    return both


def truncate(folder: Path) -> None:
    content = (folder / "model.tflite").read_bytes()
    (folder / "model.tflite").write_bytes(content[: len(content) // 2])


def hole(folder: Path) -> None:
    """A damaged model.tflite with a hash in model.json. LiteRT may crash the process that opens such a file."""
    described = {**json.loads((folder / "model.json").read_text()), "files_sha256": hashes_of(folder)}
    (folder / "model.json").write_text(json.dumps(described))
    content = (folder / "model.tflite").read_bytes()
    (folder / "model.tflite").write_bytes(bytes(100) + content[100:])


def other_horizon(folder: Path) -> None:
    described = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**described, "horizon": 12}))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (without_saved_model(truncate), "LiteRT cannot load"),
        (without_saved_model(lambda folder: (folder / "model.tflite").unlink()), "contains neither"),
        (lambda folder: (folder / "model.json").write_text("{"), "is not JSON"),
        (lambda folder: (folder / "model.json").unlink(), "has no model.json, but forecast/1 has"),
        (other_horizon, "its model.json says horizon 12"),
        (hole, "model.tflite does not match its hash in model.json"),
    ],
    ids=[
        "half a model.tflite",
        "no model",
        "model.json is not JSON",
        "no model.json",
        "another horizon",
        "a hole",
    ],
)
def test_broken_versions_are_those_that_a_service_rejects(
    place: Any, models: Path, damage: Break, reason: str
) -> None:
    place("ours", 1)
    damage(place("ours_later", 2))
    service = Repository(models, loader("auto", lambda rows, seconds: None))
    service.refresh()
    (rejected,) = service.rejected.values()
    assert reason in rejected
    assert states_of(models) == {"forecast/2": f"broken: {rejected}", "forecast/1": "latest"}
    assert str(service.paths["/forecast"]) == "forecast/1"


def test_a_version_that_returns_nan_is_broken(place: Any, models: Path) -> None:
    place("broken", 1)
    assert states_of(models) == {
        "forecast/1": "broken: forecast/1 answers a plain window with values of 'forecast' that are not finite"
    }


def test_versions_that_need_tensorflow_are_reported_as_not_checked(place: Any, models: Path) -> None:
    (place("ours", 1) / "model.tflite").unlink()
    truncate(place("ours", 2))
    (place("ours", 1, "price") / "model.tflite").unlink()
    found = states_of(models)
    assert found["forecast/2"].startswith(
        "latest, not checked: only TensorFlow can open it (LiteRT cannot load"
    )
    assert found["forecast/1"] == "older, not checked: only TensorFlow can open it"
    assert found["price/1"] == "latest, not checked: only TensorFlow can open it"


def test_without_litert_versions_are_reported_as_not_checked(
    place: Any, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place("ours", 1) / SAVED_MODEL).unlink()

    monkeypatch.setitem(sys.modules, "model_service.serving.runtimes.litert_runtime", None)
    for module in (version_check, runtime_choice):
        monkeypatch.setattr(module, "litert_is_installed", lambda: False)
    found = states_of(models)["forecast/1"]
    assert found.startswith("latest, not checked: ")
    assert "needs LiteRT" in found


def test_only_the_newest_versions_are_loaded(place: Any, models: Path) -> None:
    for version in range(1, LOADED_VERSIONS + 3):
        place("ours", version)
    newest = LOADED_VERSIONS + 2
    (models / "forecast" / str(newest) / "retired").touch()
    assert list(states_of(models).values()) == [
        "retired",
        "latest",
        *["older"] * (LOADED_VERSIONS - 1),
        "not loaded",
    ]


def test_fncast_models_list_hides_messages_of_litert(
    place: Any, models: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place("ours", 1)
    assert main(["models", "list", "--models", str(models)]) == 0
    output, errors = capfd.readouterr()
    assert "latest" in output
    assert errors == ""


def test_broken_versions_do_not_count_as_loaded(place: Any, models: Path) -> None:
    for version in range(1, LOADED_VERSIONS + 2):
        place("ours", version)
    (models / "forecast" / str(LOADED_VERSIONS + 1) / "model.json").write_text("{")
    assert [state.partition(":")[0] for state in states_of(models).values()] == [
        "broken",
        "latest",
        *["older"] * (LOADED_VERSIONS - 1),
    ]


@pytest.mark.parametrize("error", [RuntimeError("a bug"), SystemExit("a bug"), MemoryError("a bug")])
def test_a_version_that_fails_in_any_way_does_not_hide_the_others(
    models: Path, fake_runtime: Any, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    for version in (1, 2):
        (models / "forecast" / str(version)).mkdir(parents=True)

    def open_runtime(path: Path, *_: Any, **__: Any) -> Any:
        if path.name == "2":
            raise error
        return fake_runtime()

    monkeypatch.setattr(version_check, "open_runtime", open_runtime)
    assert [str(state) for state in states(scan(models))] == [
        f"broken: {type(error).__name__}: a bug",
        "latest",
    ]
