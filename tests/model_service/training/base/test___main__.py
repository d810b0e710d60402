from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.training.base.__main__ import command, main, parse


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


@pytest.mark.parametrize("seed", ["-1", "4294967296"])
def test_a_seed_that_numpy_does_not_take_is_rejected(
    seed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(words(tmp_path, "--seed", seed))
    assert f"--seed must be from 0 to 4294967295, not {seed}" in capsys.readouterr().err


@pytest.mark.parametrize("folder", ["base", "base/new", "Base/1", "base/0"])
def test_a_folder_that_is_not_a_version_is_rejected_before_the_training(
    folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(["--out", str(tmp_path / folder), "--state", str(tmp_path)])
    assert (
        "--out must end with the name and the number of a version, such as base/1" in capsys.readouterr().err
    )


def test_the_command_repeats_the_run(tmp_path: Path) -> None:
    assert command(parse(words(tmp_path))) == "make base-model"
    given = ["--seed", "1", "--steps", "100"]
    assert command(parse(words(tmp_path, *given))) == f'make base-model BASE="{" ".join(given)}"'


@pytest.mark.parametrize("reason", [KeyboardInterrupt, BrokenProcessPool])
def test_an_interrupted_run_says_how_it_continues(
    reason: type[BaseException],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise reason

    monkeypatch.setattr(ProcessPoolExecutor, "map", interrupted)
    assert main(words(tmp_path)) == 130
    assert "the same command continues" in capsys.readouterr().err
