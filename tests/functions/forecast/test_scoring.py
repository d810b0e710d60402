"""Scoring a batch: valid windows by one call of the model, the others rejected."""

from typing import Any

import numpy as np
import pytest

from handler import Forecaster
from model_service.client import InferenceResult, ModelError, ModelUnavailable
from tests.functions.fake_model import FakeClient, ask, event, kinds


def test_a_batch_is_one_call_and_invalid_events_do_not_affect_others(
    forecaster: Forecaster, client: FakeClient
) -> None:
    outputs = ask(
        forecaster,
        event("a"),
        event("b", [1, 2]),
        {"specversion": "1.0"},
        event("c", [9, 9, 1, None, 3, 4]),
        event("d", [1, 2, 3, "4"]),
    )
    assert kinds(outputs) == ["forecast.v1", "rejected.v1", "rejected.v1", "forecast.v1", "rejected.v1"]
    assert [output.get("causationid") for output in outputs] == ["a", "b", None, "c", "d"]
    assert outputs[1]["data"] == {"reason": "too few values: 2, the model needs 4"}
    assert outputs[4]["data"] == {"reason": "values[3] is not a number: '4'"}
    assert outputs[3]["data"]["filled"] == 1
    assert outputs[3]["data"]["history"] == 5
    assert outputs[3]["data"]["start"] == "2024-01-01T00:30:00Z"
    assert client.calls == [(2, 4)]
    assert client.descriptions == 1


def test_an_empty_batch_calls_no_model(forecaster: Forecaster, client: FakeClient) -> None:
    assert ask(forecaster) == []
    assert client.calls == []


@pytest.mark.parametrize("error", [ModelUnavailable("away", 7.0), ModelError("too large")])
def test_only_valid_events_are_unavailable(
    forecaster: Forecaster, client: FakeClient, error: Exception
) -> None:
    ask(forecaster, event())
    client.error = error
    outputs = ask(forecaster, event("a"), event("b", [1]))
    assert kinds(outputs) == ["unavailable.v1", "rejected.v1"]
    assert outputs[0]["causationid"] == "a"
    assert outputs[0]["data"]["retry_after_s"] == getattr(error, "retry_after_s", 1.0)
    assert str(error) in outputs[0]["data"]["reason"]
    client.error = None
    assert kinds(ask(forecaster, event())) == ["forecast.v1"]


def test_a_short_window_is_not_rejected_by_an_outdated_description(
    forecaster: Forecaster, client: FakeClient
) -> None:
    """A window that is too short for the old model is not sent, so no answer shows that the model is new."""
    client.window = 5
    assert kinds(ask(forecaster, event(values=[1, 2, 3, 4, 5]))) == ["forecast.v1"]
    client.window, client.version = 4, "2"  # a rollback
    assert kinds(ask(forecaster, event(), event("b", [1]))) == ["forecast.v1", "rejected.v1"]
    client.window, client.error = 3, ModelUnavailable("away")
    assert kinds(ask(forecaster, event(values=[1, 2, 3]))) == ["unavailable.v1"]
    client.error = None
    assert kinds(ask(forecaster, event(values=[1, 2, 3]))) == ["forecast.v1"]


def test_without_a_known_window_all_readings_of_an_event_are_used(
    forecaster: Forecaster, client: FakeClient
) -> None:
    client.is_ours, client.window = False, -1
    outputs = ask(forecaster, event("a", [1, 2]), event("b", [5, 6, 7]), event("c", [3, 4]), event("d", []))
    assert kinds(outputs) == ["forecast.v1"] * 3 + ["rejected.v1"]
    assert [output["data"]["values"][0] for output in outputs[:3]] == [3, 8, 5]
    assert sorted(client.calls) == [(1, 3), (2, 2)]


def test_nan_from_the_model_rejects_only_its_event(
    forecaster: Forecaster, client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    infer = client.infer

    def sometimes(windows: np.ndarray[Any, Any]) -> InferenceResult:
        answer = infer(windows)
        answer.outputs[1, 0, 0] = np.nan
        return answer

    monkeypatch.setattr(client, "infer", sometimes)
    outputs = ask(forecaster, event("a"), event("b"), event("c"))
    assert kinds(outputs) == ["forecast.v1", "rejected.v1", "forecast.v1"]
    assert "finite" in outputs[1]["data"]["reason"]
