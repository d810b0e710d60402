import pytest

from fncast.cli.training_candidates import base_model as find_base
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
