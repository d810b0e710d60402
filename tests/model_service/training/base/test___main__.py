from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.training.backend import tf
from model_service.training.base import __main__ as program
from model_service.training.base.__main__ import command, main, parse, state_folder
from model_service.training.base.folder import weights_file
from model_service.training.base.shape import LONG, SHORT


def words(folder: Path, *more: str) -> list[str]:
    return ["--out", str(folder / "base" / "1"), "--state", str(folder / "state"), *more]


def test_steps_that_would_not_be_trained_as_stated_are_refused(
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


def test_the_command_repeats_the_run(tmp_path: Path) -> None:
    assert command(parse(words(tmp_path))) == "make base-model"
    given = ["--seed", "1", "--steps", "100", "--only", "64", "--calibrate", "old"]
    assert command(parse(words(tmp_path, *given))) == f'make base-model BASE="{" ".join(given)}"'


def test_an_interrupted_run_says_how_it_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "fit", interrupted)
    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", lambda _: None)
    assert main(words(tmp_path)) == 130
    assert "the same command continues" in capsys.readouterr().err
