"""Assembled windows that are too short for the model."""

import orjson
import pytest
from prometheus_client import REGISTRY

from interceptor.cloudevents.answers import decode
from interceptor.outcome import DeadLetter, Skipped
from interceptor.routes.outcomes import outcome_of
from tests.interceptor.deliveries import new_delivery, new_output


@pytest.mark.guarantee("a window that is too short for the model is skipped and counted")
def test_an_assembled_window_with_too_few_readings_is_skipped_and_its_series_waits(caplog):
    def rejected(reason: str):
        window = new_delivery("a")
        window.parent = window
        return outcome_of(window, decode(orjson.dumps([rejection | {"data": {"reason": reason}}])))

    rejection = new_output("a", "io.fncast.rejected.v1")
    assert rejected("too few values: 9, the model needs 48") == Skipped("too few readings for the model")
    rejected("too few values: 10, the model needs 48")
    assert caplog.text.count("Set min_readings and window in [windows] to what the model needs") == 1
    assert "metrics: windows have fewer readings" in caplog.text
    assert REGISTRY.get_sample_value("fncast_short_windows_total", {"input": "metrics"}) == 2
    assert isinstance(rejected("value 3 is not a number"), DeadLetter)
    result = outcome_of(
        new_delivery("a"), decode(orjson.dumps([rejection | {"data": {"reason": "too few values"}}]))
    )
    assert isinstance(result, DeadLetter)
