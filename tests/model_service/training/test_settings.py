from typing import Any

import pytest

from model_service.training.settings import InvalidSettings, TrainingSettings


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"window": 3}, "window is 3; it must be between 4 and 10000"),
        ({"window": 10_001}, "window is 10001"),
        ({"horizon": 0}, "horizon is 0; it must be between 1 and 2000"),
        ({"units": 1025}, "units is 1025; it must be between 1 and 1024"),
        ({"epochs": 0}, "epochs is 0"),
        ({"learning_rate": 2.0}, "learning-rate is 2.0; it must be between 1e-07 and 1"),
        ({"test_share": 0.95}, r"test-share is 0\.95; it must be between 0 and 0\.9"),
        ({"seed": -1}, "seed is -1"),
        ({"cell": "cnn"}, "cell is 'cnn'; it must be one of gru, lstm, rnn"),
    ],
)
def test_a_setting_out_of_its_range_is_named_as_the_flag_is(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidSettings, match=reason):
        TrainingSettings(**settings)


def test_settings_survive_a_round_trip_through_json() -> None:
    settings = TrainingSettings(window=24, seasons=(24, 168), cell="lstm")
    document = settings.as_json()
    assert document["seasons"] == [24, 168]
    seasons: Any = document["seasons"]
    assert TrainingSettings(**{**document, "seasons": tuple(seasons)}) == settings  # type: ignore[arg-type]
