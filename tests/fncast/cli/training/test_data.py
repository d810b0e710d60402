"""The settings fit the series that a model is trained on."""

from __future__ import annotations

from pathlib import Path

import pytest

from fncast.cli.main import main
from tests.fncast.cli.training_file import SHORT, csv_file

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.training.settings import TrainingSettings

pytestmark = pytest.mark.timeout(600)  # a busy machine trains slowly


@pytest.mark.parametrize(
    ("flags", "sentence", "window"),
    [
        (["--window", "auto"], "window: 84 readings", 84),  # seven seasons of 12
        ([], "--window auto chooses 84", 48),  # the default of `fncast produce`
    ],
)
def test_window_auto_follows_the_season(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    flags: list[str],
    sentence: str,
    window: int,
) -> None:
    trained = []

    def train(_: object, settings: TrainingSettings, *others: object, **more: object) -> None:
        trained.append(settings.window)
        raise KeyboardInterrupt

    monkeypatch.setattr("fncast.cli.training.candidates.train", train)
    main(
        [
            "train",
            str(csv_file(tmp_path, 800)),
            "--models",
            str(tmp_path),
            *SHORT[2:],
            *flags,
            "--no-fine-tune",
        ]
    )
    assert sentence in capsys.readouterr().err
    assert trained == [window]
