"""Fixtures: folders of models, trained ones and written ones, and the command `fncast models`."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from fncast.cli.main import main
from tests.fncast.cli.training_file import SHORT, SMALL, csv_file

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(version: int, name: str = "forecast", **details: Any) -> Path:
        folder = tmp_path / name / str(version)
        folder.mkdir(parents=True)
        (folder / "model.json").write_text(json.dumps({"window": 48, "horizon": 12, **details}))
        (folder / "saved_model.pb").touch()
        return folder

    return put


@pytest.fixture
def models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """models("list", …) -> (exit code, stdout, stderr)"""

    def call(action: str, *arguments: str) -> tuple[int, str, str]:
        code = main(["models", action, "--models", str(tmp_path), *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained model. Do not change it."""
    pytest.importorskip("tensorflow", reason="evaluation needs the extra `training`")
    from model_service.training.network import build_network
    from model_service.training.settings import TrainingSettings
    from model_service.training.version_writer import write_version

    folder = tmp_path_factory.mktemp("untrained")
    settings = TrainingSettings(window=24, horizon=6, units=8)
    described = {"training": {"settings": settings.as_json()}}
    write_version(build_network(settings), settings, folder, "forecast", described)
    return folder


@pytest.fixture(scope="session")
def first_training(once_per_run: Callable[..., Path]) -> Path:
    """A folder with `models`, in which a version 1 was trained on the readings of csv_file(), and what it printed.

    Progress and result, as JSON, are in the file `output`; the messages are in `errors`. Tests must not write into it.
    """

    def train(folder: Path) -> None:
        command = ["train", str(csv_file(folder)), "--models", str(folder / "models"), *SMALL]
        with (
            (folder / "output").open("w") as output,
            (folder / "errors").open("w") as errors,
            redirect_stdout(output),
            redirect_stderr(errors),
        ):
            assert main([*command, "--progress", "json"]) == 0

    return once_per_run("first-version", train)


@pytest.fixture
def first_version(first_training: Path, tmp_path: Path) -> Path:
    """A new folder of models with the version of `first_training`."""
    return Path(shutil.copytree(first_training / "models", tmp_path / "models"))


@pytest.fixture
def copied(once_per_run: Callable[..., Path], tmp_path: Path) -> Path:
    """A new folder of models with a version 1, for which the base model was better, and what training printed."""

    def train(folder: Path) -> None:
        with (folder / "errors").open("w") as errors, redirect_stderr(errors):
            command = ["train", str(csv_file(folder)), "--models", str(folder / "models"), *SHORT]
            assert main([*command, "--no-fine-tune"]) == 0

    trained = once_per_run("copied-version", train)
    return Path(shutil.copytree(trained, tmp_path / "copied"))


@pytest.fixture
def tuned(once_per_run: Callable[..., Path], tmp_path: Path) -> Path:
    """A new folder of models with a version 1, fine-tuned from the base model, and what training printed."""

    def train(folder: Path) -> None:
        with (folder / "errors").open("w") as errors, redirect_stderr(errors):
            command = ["train", str(csv_file(folder)), "--models", str(folder / "models"), *SHORT]
            assert main(command) == 0

    trained = once_per_run("tuned-version", train)
    return Path(shutil.copytree(trained, tmp_path / "tuned"))


@pytest.fixture
def default_sigint() -> Iterator[None]:
    """Handle SIGINT as in a shell, also in child processes: pytest's workers and background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
