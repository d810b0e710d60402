"""What a trial counts in a sample of a topic's records."""

from __future__ import annotations

import pytest

from fncast.recognition import trial as trial_module
from fncast.recognition.recognition import recognise
from fncast.recognition.trial import OTHER_REASONS, try_format
from tests.fncast.recognition.samples import SAMPLES, record, records, telegraf_json


def test_records_that_do_not_decode_are_counted_with_their_reason():
    sample = [*records(telegraf_json, 9), record("temperature is fine")]
    trial = recognise("readings", sample).trial
    assert (trial.format, trial.decoded, trial.records) == ("telegraf-json", 9, 10)
    [reason] = trial.reasons
    assert "Telegraf" in reason


def test_series_have_their_last_value_step_and_partition():
    trial = recognise("readings", records(telegraf_json)).trial
    seen = trial.series["cpu.usage_idle cpu=cpu0 host=web-1"]
    assert (seen.last_value, seen.step_text, seen.is_spread) == (110.5, "10s", False)
    assert trial.skipped == {"text": 20}


def test_a_series_in_two_partitions_is_noticed():
    sample = [record(telegraf_json(number), number, partition=number % 2) for number in range(6)]
    assert len(recognise("readings", sample).trial.spread) == 2


def test_windows_have_the_step_and_destination_of_their_event():
    trial = recognise("readings", SAMPLES["window events"][1]).trial
    assert trial.windows == 20
    assert trial.destinations == {"forecast": 20}
    assert trial.series["oven-1"].step_text == "5m"
    assert trial.series["oven-1"].last_value == 22.5


def test_records_without_a_value_are_left_out():
    trial = try_format("json", {}, [record({"temp": 1}), record(None, 1)])
    assert (trial.records, trial.decoded, trial.share) == (1, 1, 1.0)


def test_a_sample_without_records_decodes_to_nothing():
    assert try_format("json", {}, []).share == 0.0


def test_an_event_without_a_window_has_a_reason():
    headers = [(f"ce_{name}", b"x") for name in ("id", "source", "type")] + [("ce_specversion", b"1.0")]
    trial = try_format("cloudevents", {}, [record({"temp": 1}, headers=headers)])
    assert (trial.decoded, trial.windows) == (0, 0)
    assert list(trial.reasons) == ["it is a CloudEvent of the type x, without `values` in its data"]
    assert trial.other_events == {"": 1}


def test_a_window_may_be_a_tensor():
    attributes = {"id": b"1", "source": b"x", "type": b"w", "specversion": b"1.0", "subject": b"oven"}
    headers = [(f"ce_{name}", value) for name, value in attributes.items()]
    headers += [("ce_step", b"PT5M"), ("content-type", b"application/x-graphpipe")]
    trial = try_format("cloudevents", {}, [record(b"\x00\xff", headers=headers)])
    assert (trial.windows, trial.reasons) == (1, {})
    assert trial.series["oven"].step_text == "5m"


def test_series_and_reasons_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trial_module, "MAX_SERIES", 2)
    monkeypatch.setattr(trial_module, "MAX_REASONS", 1)
    sample = [record(f"s{number} value={number}", number) for number in range(5)]
    trial = try_format("influx-line", {}, [*sample, record("x"), record(b"\xff")])
    assert (len(trial.series), trial.more_readings, trial.readings) == (2, 3, 5)
    assert len(trial.reasons) == 2
    assert trial.reasons[OTHER_REASONS] == 1
