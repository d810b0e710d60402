import json
from pathlib import Path

import pytest

from fncast.cli.training.start import Start
from fncast.cli.training.start import base_model as find_base
from fncast.failure import Failure
from model_service.training.base.copy import COPIED
from model_service.training.base.tuned_folder import FINE_TUNED
from model_service.training.settings import TrainingSettings


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            TrainingSettings(horizon=97),
            "which forecasts at most 96 steps: the network is trained from scratch",
        ),
        (TrainingSettings(window=7), "which needs 8 readings: the network is trained from scratch"),
    ],
)
def test_a_base_model_that_cannot_stand_in_is_not_compared(
    settings: TrainingSettings, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert find_base(settings) is None
    assert sentence in capsys.readouterr().err


def version(models: Path, **members: object) -> None:
    """Write version 1 of the model `forecast`, with nothing but a model.json."""
    folder = models / "forecast" / "1"
    folder.mkdir(parents=True)
    (folder / "model.json").write_text(json.dumps({"training": {"settings": {"window": 24}}, **members}))


def test_training_starts_with_the_settings_of_a_version(tmp_path: Path) -> None:
    version(tmp_path, **{FINE_TUNED: {"name": "base", "version": 1}})
    start = Start.of(tmp_path, "forecast", 1)
    assert start.settings is not None
    assert (start.settings.window, start.is_fine_tuned) == (24, True)
    assert Start.of(tmp_path, "forecast", None) == Start()


def test_training_cannot_start_from_a_copy_of_the_base_model(tmp_path: Path) -> None:
    version(tmp_path, **{COPIED: {}})
    with pytest.raises(Failure, match=r"is a copy of the base model, .* train without --from-version"):
        Start.of(tmp_path, "forecast", 1)
