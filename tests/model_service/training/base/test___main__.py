import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from fncast import models as base_models
from model_service.training.backend import tf
from model_service.training.base import __main__ as program
from model_service.training.base.__main__ import command, copy_size, export_again, main, parse, state_folder
from model_service.training.base.folder import litert_file, weights_file
from model_service.training.base.forecaster import BaseForecaster
from model_service.training.base.shape import LONG, SHORT, Size
from model_service.training.model_folder import read_model_json
from model_service.training.version_writer import weights_sha256

BASE = base_models.FOLDER / base_models.BASE / "1"


def words(folder: Path, *more: str) -> list[str]:
    return ["--out", str(folder / "base" / "1"), "--state", str(folder / "state"), *more]


def test_steps_that_would_not_be_trained_as_stated_are_rejected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for steps in ("40", "0", "-50", "120"):
        with pytest.raises(SystemExit):
            parse(words(tmp_path, "--steps", steps))
        assert f"--steps must be a multiple of 50, not {steps}" in capsys.readouterr().err
    assert parse(words(tmp_path, "--steps", "100")).steps == 100


def test_one_size_does_not_replace_a_version_of_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = tmp_path / "base" / "1"
    version.mkdir(parents=True)
    (version / weights_file(LONG)).touch()
    with pytest.raises(SystemExit):
        parse(words(tmp_path, "--only", "64"))
    assert "choose another folder as --out" in capsys.readouterr().err
    assert parse(words(tmp_path, "--only", "512")).only == 512
    assert parse(words(tmp_path)).only is None


def test_a_run_does_not_continue_one_with_another_seed_or_other_steps(tmp_path: Path) -> None:
    runs = {state_folder(tmp_path, SHORT, 0, 6_000), state_folder(tmp_path, SHORT, 1, 6_000)}
    runs |= {state_folder(tmp_path, SHORT, 0, 100), state_folder(tmp_path, LONG, 0, 100)}
    assert len(runs) == 4
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
        runs.add(state_folder(tmp_path, SHORT, 0, 6_000, tmp_path / name))
    assert len(runs) == 6


def test_a_start_without_a_version_is_rejected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(words(tmp_path, "--start", str(tmp_path)))
    assert "has no model.json; name the folder of a version" in capsys.readouterr().err
    assert parse(words(tmp_path, "--start", str(BASE))).start == BASE


def test_the_other_size_is_kept(tmp_path: Path) -> None:
    network = copy_size(LONG, BASE, tmp_path / "base" / "2")
    assert (tmp_path / "base" / "2" / litert_file(LONG)).read_bytes() == (
        BASE / litert_file(LONG)
    ).read_bytes()
    assert weights_sha256(network) == read_model_json(BASE)["weights"]["512"]["sha256"]
    assert parse(words(tmp_path, "--start", str(BASE), "--only", "64")).only == 64


class Network:
    def save_weights(self, path: Path) -> None:
        path.write_bytes(b"weights")


def test_the_short_size_is_trained_in_two_runs_by_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []

    def fit(size: Size, steps: int, seed: int, folder: Path, progress: Any, start: Path | None) -> Network:
        folder.mkdir(parents=True, exist_ok=True)
        runs.append((size.window, steps, folder.name, start))
        return Network()

    monkeypatch.setattr(program, "fit", fit)
    assert program.trained_network(SHORT, parse(words(tmp_path)))[1] == [6_000, 2_500]
    assert [run[:2] for run in runs] == [(64, 6_000), (64, 2_500)]
    start = runs[1][3]
    assert start is not None
    assert start.read_bytes() == b"weights"
    program.trained_network(SHORT, parse(words(tmp_path)))
    assert runs[2:] == runs[:2]  # so both continue
    assert program.trained_network(LONG, parse(words(tmp_path)))[1] == [2_800]
    assert program.trained_network(SHORT, parse(words(tmp_path, "--steps", "100")))[1] == [100]


def test_files_are_written_again_from_the_weights(tmp_path: Path) -> None:
    source, out = tmp_path / "base" / "1", tmp_path / "base" / "2"
    source.mkdir(parents=True)
    described = read_model_json(BASE)
    del described["weights"]["512"]
    (source / "model.json").write_text(json.dumps(described))
    shutil.copy(BASE / weights_file(SHORT), source)
    export_again(source, out, "the command")
    windows = np.sin(np.arange(120.0)).reshape(2, 60)
    expected = BaseForecaster(BASE).forecast(windows, 24)
    np.testing.assert_allclose(BaseForecaster(out).forecast(windows, 24), expected, atol=1e-5)
    found = read_model_json(out)
    assert found["weights"] == described["weights"]
    assert found["training"]["exported"] == "the command"
    assert found["training"]["sizes"] == described["training"]["sizes"]


def test_the_command_repeats_the_run(tmp_path: Path) -> None:
    assert command(parse(words(tmp_path))) == "make base-model"
    given = ["--seed", "1", "--steps", "100", "--only", "64", "--calibrate", "old"]
    assert command(parse(words(tmp_path, *given))) == f'make base-model BASE="{" ".join(given)}"'


def test_an_interrupted_run_says_how_it_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "fit", interrupted)
    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", lambda _: None)
    assert main(words(tmp_path)) == 130
    assert "the same command continues" in capsys.readouterr().err
