"""Each model of a series has its own score."""

from fncast.dashboard.events.forecast import ShownForecast
from fncast.dashboard.series.model_scores import MAX_MODELS, ModelScores
from fncast.dashboard.series.reading_buffer import ReadingBuffer


def forecast(model: str, start: int, *values: float) -> ShownForecast:
    return ShownForecast(start, list(values), [], [], None, model)


def test_a_forecast_is_scored_once_its_readings_are_known() -> None:
    scores, readings = ModelScores(), ReadingBuffer()
    scores.add(forecast("a", 1, 3.0, 5.0))
    readings.merge(0, [1.0, 2.0])
    scores.update(readings)
    score = scores.as_json("a")
    assert score is not None
    assert (score["points"], score["mae"]) == (1, 1.0)
    readings.merge(2, [2.0])
    scores.update(readings)
    score = scores.as_json("a")
    assert score is not None
    assert (score["points"], score["mae"]) == (2, 2.0)


def test_models_are_scored_separately() -> None:
    scores, readings = ModelScores(), ReadingBuffer()
    readings.merge(0, [1.0, 2.0])
    scores.add(forecast("good", 1, 2.0))
    scores.add(forecast("bad", 1, 9.0))
    scores.update(readings)
    errors = [score["mae"] for model in ("good", "bad") if (score := scores.as_json(model))]
    assert errors == [0.0, 7.0]
    assert scores.as_json("other") is None


def test_the_model_without_forecasts_for_the_longest_is_dropped() -> None:
    scores, readings = ModelScores(), ReadingBuffer()
    readings.merge(0, [1.0, 2.0])
    for number in range(MAX_MODELS + 1):
        scores.add(forecast(f"v{number}", 1, 2.0))
    scores.update(readings)
    assert scores.as_json("v0") is None
    assert scores.as_json("v1") is not None
