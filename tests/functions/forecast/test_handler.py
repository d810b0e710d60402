"""The contract of the function, without Fn and with a fake model client."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connection import NoClient
from events import BATCH_TYPE, EVENT_TYPE
from handler import Forecaster
from model import ForecastModel
from model_service.client import ModelUnavailable
from tests.functions.fake_model import FakeClient, ask, event, kinds


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


def test_one_event_is_answered_with_one_event(forecaster: Forecaster) -> None:
    answer = forecaster.answer({"content-type": EVENT_TYPE}, orjson.dumps(event()))
    assert answer.content_type == EVENT_TYPE
    assert json.loads(answer.body)["data"]["values"] == [5, 6, 7]


def test_the_forecast_of_a_bare_array_has_no_times(forecaster: Forecaster) -> None:
    (output,) = ask(forecaster, {**event(), "data": [1, 2, 3, 4]})
    assert set(output["data"]) == {"values", "quantiles", "filled", "history"}


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


def test_a_model_service_that_never_answered_is_unavailable(
    forecaster: Forecaster, client: FakeClient
) -> None:
    client.error = ModelUnavailable("rejected")
    assert kinds(ask(forecaster, event(), {"specversion": "1.0"})) == ["unavailable.v1", "rejected.v1"]


def test_a_missing_setting_is_reported() -> None:
    (output,) = ask(Forecaster(ForecastModel(NoClient("GP_SERVER_URL is not set"))), event())
    assert output["data"]["reason"] == "GP_SERVER_URL is not set"


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
    forecaster = Forecaster(ForecastModel(FakeClient()))
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
    forecaster = Forecaster(ForecastModel(FakeClient()))
    body = json.dumps(batch).encode()
    together = forecaster.answer({"content-type": BATCH_TYPE}, body).body
    alone = [
        forecaster.answer({"content-type": EVENT_TYPE}, json.dumps(each).encode()).body for each in batch
    ]
    assert together == b"[%b]" % b",".join(alone)


def test_labels_travel_to_the_forecast(forecaster: Forecaster) -> None:
    labels = {"device": "a7", "site": "Köln"}
    output, other, wrong = ask(forecaster, event(labels=labels), event("2"), event("3", labels={"device": 7}))
    assert output["data"]["labels"] == labels
    assert "labels" not in other["data"]
    assert wrong["data"] == {"reason": "labels is not an object of strings"}
