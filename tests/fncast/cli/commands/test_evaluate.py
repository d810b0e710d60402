"""`fncast evaluate`: its flags and errors."""

from pathlib import Path

import pytest

from fncast.cli.main import main
from tests.fncast.cli.evaluation.files import minutes_file


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--version", "7"], "no version 7; there are 1"),
        (["--name", "other"], "contains no version of a model"),
        (["--test-share", "2"], "--test-share is 2.0"),
        (["--stride", "0"], "--stride is 0"),
        (["--workers", "-1", "--classical"], "--workers is -1; it must be at least 1"),
        (["--plots", __file__], f"--plots {__file__}: cannot be created: File exists"),
    ],
)
def test_wrong_flags_are_one_clear_sentence(
    flags: list[str], sentence: str, untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(minutes_file(tmp_path)), "--models", str(untrained), *flags]) == 1
    assert sentence in capsys.readouterr().err


def test_too_few_readings_are_an_error(
    untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(minutes_file(tmp_path, 15)), "--models", str(untrained)]) == 1
    assert "shop: no origin: 15 readings" in capsys.readouterr().err
