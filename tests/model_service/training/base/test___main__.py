from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from fncast import models as base_models
from model_service.training.backend import tf
from model_service.training.base import __main__ as program
from model_service.training.base.__main__ import command, keep, main, parse, state_folder
from model_service.training.base.folder import litert_file, weights_file
from model_service.training.base.shape import LONG, SHORT
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
    network = keep(LONG, BASE, tmp_path / "base" / "2")
    assert (tmp_path / "base" / "2" / litert_file(LONG)).read_bytes() == (
        BASE / litert_file(LONG)
    ).read_bytes()
    assert weights_sha256(network) == read_model_json(BASE)["weights"]["512"]["sha256"]
    assert parse(words(tmp_path, "--start", str(BASE), "--only", "64")).only == 64


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
