"""The function with a model that accepts missing readings and short histories, as the base model does."""

import json
from typing import Any

import numpy as np
import pytest

from fncast.series.window import MISSING
from handler import Forecaster
from model import ForecastModel
from model_service.client import InferenceResult, InvalidShape
from model_service.protocols.graphpipe import IOMetadata, MetadataResponse, Type
from model_service.protocols.tensor_calls import (
    CONTENT_TYPE,
    WINDOWS_TYPE,
    decode_forecasts,
    encode_windows,
    window_rows,
)
from tests.functions.fake_model import FakeClient, ask, event, kinds


class Sparse(FakeClient):
    """Forecasts the number of known readings, in steps of the size that was called."""

    sizes = ({"window": 16, "horizon": 2}, {"window": 32, "horizon": 6})

    def metadata(self) -> MetadataResponse:
        described = {"window": None, "quantiles": self.quantiles, "missing": MISSING, "sizes": self.sizes}
        inputs = (IOMetadata("windows", Type.Float32, (-1, -1)),)
        return MetadataResponse("base", self.version, "", json.dumps(described), inputs)

    def infer(self, windows: np.ndarray[Any, Any]) -> InferenceResult:
        self.calls.append(windows.shape)
        horizon = {16: 2, 32: 6}[windows.shape[1]]
        known = (windows < MISSING / 2).sum(axis=1).astype(np.float32)
        return InferenceResult(
            np.broadcast_to(known[:, None, None], (len(windows), horizon, 3)), "base", self.version
        )


def test_short_histories_and_gaps_are_forecast() -> None:
    client = Sparse()
    values = [5.0] * 8
    outputs = ask(
        Forecaster(ForecastModel(client)),
        event("full", [5.0] * 16),
        event("short", values),
        event("gaps", [*values, None, None, 5.0]),
        event("long", [5.0] * 32),
        event("few", [5.0] * 7),
    )
    assert [output["data"].get("values") for output in outputs[:4]] == [
        [21.0, 21.0],
        [13.0, 13.0],
        [14.0, 14.0],
        [37.0, 37.0],
    ]
    assert [output["data"]["filled"] for output in outputs[:4]] == [0, 0, 2, 0]
    assert [output["data"]["history"] for output in outputs[:4]] == [16, 8, 9, 32]
    assert outputs[4]["data"]["reason"] == "too few values: 7, the model needs 8"
    assert sorted(client.calls) == [(1, 32), (3, 16)]


def test_a_size_forecasts_windows_of_less_than_twice_its_readings() -> None:
    client = Sparse()
    ask(Forecaster(ForecastModel(client)), event("a", [5.0] * 31))
    assert client.calls == [(1, 16)]


def test_a_window_whose_last_readings_are_too_few_goes_to_the_next_size() -> None:
    client = Sparse()
    broken = [*[5.0] * 14, *[None] * 10, *[5.0] * 6]
    outputs = ask(
        Forecaster(ForecastModel(client)), event("a", broken), event("b", [5.0] * 30), event("c", broken)
    )
    assert [output["data"]["filled"] for output in outputs] == [10, 0, 10]
    assert client.calls == [(1, 16), (2, 32)]


@pytest.mark.parametrize(("horizon", "steps", "window"), [(1, 1, 16), (2, 2, 16), (5, 5, 32), (50, 6, 32)])
def test_the_horizon_decides_which_size_is_called(horizon: int, steps: int, window: int) -> None:
    client = Sparse()
    (output,) = ask(Forecaster(ForecastModel(client, horizon)), event("a", [5.0] * 8))
    assert len(output["data"]["values"]) == steps
    assert client.calls == [(1, window)]


def test_a_horizon_above_that_of_the_model_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    forecaster = Forecaster(ForecastModel(Sparse(), 50))
    for _ in range(2):
        ask(forecaster, event("a", [5.0] * 8))
    assert [record.getMessage() for record in caplog.records] == [
        "HORIZON is 50, but the model forecasts at most 6 steps: forecasts have 6"
    ]
    caplog.clear()
    ask(Forecaster(ForecastModel(Sparse(), 6)), event("a", [5.0] * 8))
    assert not caplog.records


def test_a_constant_series_stays_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    def almost_still(client: Sparse, windows: np.ndarray[Any, Any]) -> InferenceResult:
        widths = np.array([-2e-31, 1e-32, 2e-31], np.float32)
        return InferenceResult(np.broadcast_to(widths, (len(windows), 2, 3)), "base", client.version)

    monkeypatch.setattr(Sparse, "infer", almost_still)
    constants = [0.0, 5.0, -3.0, 0.1, 1e-12, 1e15]
    outputs = ask(Forecaster(ForecastModel(Sparse())), *(event(str(each), [each] * 16) for each in constants))
    for constant, output in zip(constants, outputs, strict=True):
        assert list(output["data"]["quantiles"].values()) == [[constant] * 2] * 3


def test_a_tensor_call_gives_the_same_for_windows_of_all_lengths() -> None:
    windows: list[list[float | None]] = [
        [5.0] * 16,
        [5.0] * 8,
        [*[5.0] * 8, None, None, 5.0],
        [*[None] * 30, *[5.0] * 9],
        [5.0] * 20,
        [5.0] * 7,
        [5.0, *[None] * 9, *[5.0] * 8],
        [*[5.0] * 9, 2e18],
    ]
    forecaster = Forecaster(ForecastModel(Sparse()))
    outputs = ask(forecaster, *(event(str(place), values) for place, values in enumerate(windows)))
    nothing = np.full(len(windows), np.nan)
    body = encode_windows(window_rows([np.array(values, float) for values in windows], nothing, nothing))
    headers: dict[str, str | list[str]] = {"content-type": CONTENT_TYPE, "ce-type": WINDOWS_TYPE}
    rows = decode_forecasts(forecaster.answer(headers, body).body, len(windows))
    assert rows.filled is not None
    assert rows.retry_after_s is None
    assert rows.reasons == [output["data"].get("reason", "") for output in outputs]
    for values, filled, reason, output in zip(rows.values, rows.filled, rows.reasons, outputs, strict=True):
        if not reason:
            assert values.T.tolist() == list(output["data"]["quantiles"].values())
            assert filled == output["data"]["filled"]
    assert [bool(reason) for reason in rows.reasons] == [False] * 5 + [True] + [False] + [True]


def test_large_counters_keep_their_digits(forecaster: Forecaster) -> None:
    (output,) = ask(forecaster, event(values=[10**12, 10**12 + 1, 10**12 + 2, 10**12 + 3]))
    assert output["data"]["values"] == [10**12 + 4, 10**12 + 5, 10**12 + 6]
    assert output["data"]["quantiles"]["0.1"][0] == 10**12 + 3.9


def test_a_new_model_may_have_another_window(forecaster: Forecaster, client: FakeClient) -> None:
    ask(forecaster, event())
    client.window, client.version = 3, "4"
    (output,) = ask(forecaster, event())
    assert output["modelversion"] == "4"
    assert client.calls[1:] == [(1, 4), (1, 3)]
    outputs = ask(forecaster, event("a", [1, 2, 3]), event("b", [1, 2]))
    assert kinds(outputs) == ["forecast.v1", "rejected.v1"]


def test_a_new_model_may_have_other_quantiles(forecaster: Forecaster, client: FakeClient) -> None:
    ask(forecaster, event())
    client.quantiles, client.version = (0.2, 0.5, 0.8), "4"
    (output,) = ask(forecaster, event())
    assert list(output["data"]["quantiles"]) == ["0.2", "0.5", "0.8"]


def test_a_model_that_contradicts_its_description_is_unavailable(
    forecaster: Forecaster, client: FakeClient
) -> None:
    client.error = InvalidShape("wants [-1, 9]")
    (output,) = ask(forecaster, event())
    assert kinds([output]) == ["unavailable.v1"]
    assert "wants [-1, 9]" in output["data"]["reason"]
    assert len(client.calls) == 2


def test_another_server_has_only_the_median(forecaster: Forecaster, client: FakeClient) -> None:
    client.is_ours = False
    (output,) = ask(forecaster, event())
    assert output["data"]["quantiles"] == {"0.5": output["data"]["values"]}
    assert "modelname" not in output
    assert "modelversion" not in output
