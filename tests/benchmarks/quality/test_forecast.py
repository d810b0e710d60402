"""The goals of `make quality` and its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="the models are trained")

from benchmarks.quality import forecast as quality
from benchmarks.quality.forecast import NAB_BAND
from benchmarks.quality.target import Target, summary


def target(coverage: float | None, band: tuple[float, float] | None) -> Target:
    others = {"last value": 1.0, "Theta": 0.8}
    return Target("NAB", "relative_mae", 0.65, 0.91, 0.6, others, coverage, 60.0, band)


@pytest.mark.parametrize(
    ("coverage", "band", "reached"),
    [
        (0.80, NAB_BAND, True),
        (0.75, NAB_BAND, False),
        (0.85, NAB_BAND, False),
        (None, NAB_BAND, False),
        (0.6, None, True),
    ],
)
def test_a_band_is_part_of_the_goal(
    coverage: float | None, band: tuple[float, float] | None, reached: bool
) -> None:
    assert target(coverage, band).is_reached is reached
    assert ("yes" in summary([target(coverage, band)])) is reached


def test_a_skipped_data_set_fails_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(quality.DATA_SETS, "air", lambda *_: target(0.8, None))
    assert quality.main(["--only", "nab,air", "--data", str(tmp_path)]) == 1
    output, errors = capsys.readouterr()
    assert "nab is skipped: the folder" in errors
    assert "Theta" in output  # the others are printed
    assert quality.main(["--only", "air"]) == 0


def test_an_unknown_data_set_is_reported_before_any_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(quality.DATA_SETS, "air", lambda *_: pytest.fail("measured"))
    with pytest.raises(SystemExit):
        quality.main(["--only", "air,nap"])
    assert "'nap' is not one of nab, taxi, air, base" in capsys.readouterr().err
