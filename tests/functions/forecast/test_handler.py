"""The contract of the function, without Fn and with a fake model client."""

import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connection import NoClient
from events import BATCH_TYPE, EVENT_TYPE
from handler import Forecaster
from model import Model
from model_service.client import Answer, InvalidShape, ModelError, ModelUnavailable
from tests.functions.fake_model import FakeClient, Falling, ask, event


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def forecaster(client: FakeClient) -> Forecaster:
    return Forecaster(Model(client))


def kinds(outputs: list[dict[str, Any]]) -> list[str]:
    return [output["type"].removeprefix("io.fncast.") for output in outputs]


def test_a_forecast_has_all_members_of_the_contract(forecaster: Forecaster) -> None:
    (output,) = ask(forecaster, event(unit="%"))
    assert output.pop("id").startswith("forecast-")
    assert output == {
        "specversion": "1.0",
        "type": "io.fncast.forecast.v1",
        "source": "fncast/forecast",
        "datacontenttype": "application/json",
        "causationid": "1",
        "causationsource": "/a",
        "subject": "cpu",
        "modelname": "forecast",
        "modelversion": "3",
        "data": {
            "start": "2024-01-01T00:20:00Z",
            "step_s": 300,
            "values": [5, 6, 7],
            "quantiles": {"0.1": [4.9, 5.9, 6.9], "0.5": [5, 6, 7], "0.9": [5.1, 6.1, 7.1]},
            "unit": "%",
            "filled": 0,
            "history": 4,
        },
    }


@pytest.mark.parametrize(
    ("values", "members", "quantiles"),
    [
        ([4, 3, 2, 1], {}, [0, 0, 11]),
        ([0, 0, 0, 0], {}, [0, 0, 10]),
        ([4, None, 2, 1], {}, [0, 0, 11]),
        ([4, -0.5, 2, 1], {}, [-29, -9, 11]),
        ([-1, 4, 3, 2, 1], {}, [-29, -9, 11]),  # negative before the model's window
        ([None, 4, 3, 2, 1], {}, [0, 0, 11]),
        ([4, 3, 2, 1], {"unit": "°C"}, [-29, -9, 11]),
        ([4, 3, 2, 1], {"min": -15}, [-15, -9, 11]),
        ([4, -3, 2, 1], {"min": 0}, [0, 0, 11]),
        ([96, 97, 98, 99], {"unit": "%"}, [69, 89, 109]),
        ([96, 97, 98, 99], {"unit": "%", "max": 100}, [69, 89, 100]),
        ([4, 3, 2, 1], {"max": 5, "min": 3}, [3, 3, 5]),
    ],
)
def test_forecasts_keep_their_limits(
    values: list[float | None], members: dict[str, Any], quantiles: list[float]
) -> None:
    forecaster = Forecaster(Model(Falling()))
    first, *_, other = ask(forecaster, event(values=values, **members), event("2", [-9, -9, -9, -9]))
    answered = first["data"]["quantiles"]
    assert [answered[level] for level in ("0.1", "0.5", "0.9")] == [[limit] * 3 for limit in quantiles]
    assert first["data"]["values"] == answered["0.5"]
    assert other["data"]["values"] == [-19] * 3


def test_one_event_is_answered_with_one_event(forecaster: Forecaster) -> None:
    answer = forecaster.answer({"content-type": EVENT_TYPE}, orjson.dumps(event()))
    assert answer.content_type == EVENT_TYPE
    assert json.loads(answer.body)["data"]["values"] == [5, 6, 7]


def test_the_forecast_of_a_bare_array_has_no_times(forecaster: Forecaster) -> None:
    (output,) = ask(forecaster, {**event(), "data": [1, 2, 3, 4]})
    assert set(output["data"]) == {"values", "quantiles", "filled", "history"}


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


def test_repeated_ids_are_answered_by_position(forecaster: Forecaster) -> None:
    outputs = ask(forecaster, event("a", [1, 1, 1, 1]), event("a", [1]), event("a", [2, 2, 2, 2]))
    assert kinds(outputs) == ["forecast.v1", "rejected.v1", "forecast.v1"]
    assert outputs[0]["data"]["values"] == [2, 3, 4]
    assert outputs[2]["data"]["values"] == [3, 4, 5]


def test_ids_are_deterministic_and_differ_by_input_and_kind(forecaster: Forecaster) -> None:
    events = [event("1"), {**event("1"), "source": "/b"}, {**event("a1"), "source": "/"}, event("1", [])]
    first = [output["id"] for output in ask(forecaster, *events)]
    assert first == [output["id"] for output in ask(forecaster, *events)]
    assert len(set(first)) == 4


def test_an_empty_batch_calls_no_model(forecaster: Forecaster, client: FakeClient) -> None:
    assert ask(forecaster) == []
    assert client.calls == []


def test_large_counters_keep_their_digits(forecaster: Forecaster) -> None:
    (output,) = ask(forecaster, event(values=[10**12, 10**12 + 1, 10**12 + 2, 10**12 + 3]))
    assert output["data"]["values"] == [10**12 + 4, 10**12 + 5, 10**12 + 6]
    assert output["data"]["quantiles"]["0.1"][0] == 10**12 + 3.9


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


def test_a_model_service_that_never_answered_is_unavailable(
    forecaster: Forecaster, client: FakeClient
) -> None:
    client.error = ModelUnavailable("refused")
    assert kinds(ask(forecaster, event(), {"specversion": "1.0"})) == ["unavailable.v1", "rejected.v1"]


def test_a_missing_setting_is_reported() -> None:
    (output,) = ask(Forecaster(Model(NoClient("GP_SERVER_URL is not set"))), event())
    assert output["data"]["reason"] == "GP_SERVER_URL is not set"


def test_a_new_model_may_have_another_window(forecaster: Forecaster, client: FakeClient) -> None:
    ask(forecaster, event())
    client.window, client.version = 3, "4"
    (output,) = ask(forecaster, event())
    assert output["modelversion"] == "4"
    assert client.calls[1:] == [(1, 4), (1, 3)]
    outputs = ask(forecaster, event("a", [1, 2, 3]), event("b", [1, 2]))
    assert kinds(outputs) == ["forecast.v1", "rejected.v1"]


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

    def sometimes(windows: np.ndarray[Any, Any]) -> Answer:
        answer = infer(windows)
        answer.outputs[1, 0, 0] = np.nan
        return answer

    monkeypatch.setattr(client, "infer", sometimes)
    outputs = ask(forecaster, event("a"), event("b"), event("c"))
    assert kinds(outputs) == ["forecast.v1", "rejected.v1", "forecast.v1"]
    assert "finite" in outputs[1]["data"]["reason"]


@pytest.mark.parametrize("id_", ['"},{"id":"evil', "caf\u00e9 \u2603 \U0001f600", "\x00\n\\"])
def test_texts_of_an_event_cannot_forge_members(forecaster: Forecaster, id_: str) -> None:
    (output,) = ask(
        forecaster, {**event(id_), "subject": id_, "source": id_, "data": event(unit=id_)["data"]}
    )
    assert output["causationid"] == output["causationsource"] == output["subject"] == id_
    assert output["data"]["unit"] == id_


READING = st.one_of(st.floats(), st.integers(), st.none(), st.booleans(), st.text(max_size=2))


@given(st.lists(st.lists(READING, max_size=7), max_size=5))
def test_every_event_gets_exactly_one_answer(batch: list[list[Any]]) -> None:
    forecaster = Forecaster(Model(FakeClient()))
    events = [event(str(number), values) for number, values in enumerate(batch)]
    body = json.dumps(events).encode()  # writes NaN and Infinity, as some producers do
    outputs = json.loads(
        forecaster.answer({"content-type": BATCH_TYPE}, body).body, parse_constant=pytest.fail
    )
    assert [output["causationid"] for output in outputs] == [str(number) for number in range(len(batch))]
    for output, values in zip(outputs, batch, strict=True):
        if output["type"] == "io.fncast.rejected.v1":
            assert output["data"]["reason"]
            continue
        last = next(value for value in reversed(values) if value is not None)
        medians = output["data"]["values"]
        assert medians == pytest.approx([last + 1, last + 2, last + 3], rel=1e-12, abs=1e-5)
        assert set(output["data"]["quantiles"]) == {"0.1", "0.5", "0.9"}


ODD = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=2), st.just([1, 2]))
MEMBERS = st.sampled_from(
    [
        "id",
        "source",
        "type",
        "specversion",
        "subject",
        "data_base64",
        "time",
        "start",
        "step_s",
        "step",
        "unit",
    ]
)


@st.composite
def odd_events(draw: st.DrawFn) -> dict[str, Any]:
    """A valid event, or one with up to two invalid members."""
    values = draw(st.lists(st.floats(-1e6, 1e6) | st.none() | st.integers(-9, 9), min_size=3, max_size=6))
    drawn = event(draw(st.text(min_size=1, max_size=3)), values)
    for name in draw(st.lists(MEMBERS, max_size=2)):
        where = drawn["data"] if name in ("start", "step_s", "step", "unit") else drawn
        where[name] = draw(ODD)
    if draw(st.integers(0, 9)) == 0:
        drawn["data"] = draw(ODD | st.lists(READING, max_size=5))
    return drawn


@given(st.lists(odd_events(), min_size=1, max_size=4))
def test_an_event_gets_the_same_answer_alone_and_in_a_batch(batch: list[dict[str, Any]]) -> None:
    """A batch of valid events has a separate decoder; other bodies are parsed event by event."""
    forecaster = Forecaster(Model(FakeClient()))
    body = json.dumps(batch).encode()
    together = forecaster.answer({"content-type": BATCH_TYPE}, body).body
    alone = [
        forecaster.answer({"content-type": EVENT_TYPE}, json.dumps(each).encode()).body for each in batch
    ]
    assert together == b"[%b]" % b",".join(alone)
