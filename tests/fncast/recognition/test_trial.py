"""What a trial counts in a sample of a topic's records."""

from __future__ import annotations

from fncast.recognition.recognition import recognise
from samples import SAMPLES, record, records, telegraf_json


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
