"""What `fncast init` says on stderr."""

from __future__ import annotations

import pytest

from fncast.recognition.recognition import recognise
from fncast.recognition.report import report
from fncast.recognition.sample import Sample
from tests.fncast.recognition.samples import record, records, telegraf_json


def lines(sample, **more):
    return report(Sample("telegraf", 2, 1000, sample, **more), recognise("telegraf", sample))


def test_format_series_values_and_steps_are_shown():
    found = lines([*records(telegraf_json, 19), record("\x1b[2Jfine")])
    assert found[0] == "telegraf: telegraf-json; 38 readings in the last 20 of 1,000 records, 2 partitions"
    assert found[1] == "2 series: last value, step"
    assert found[2].split() == [
        *["cpu.usage_idle", "cpu=cpu0", "host=web-1", "109.5", "10s"],
        *["2023-11-14", "22:16:20Z"],
    ]
    assert "skipped readings: 19 text" in found
    assert "records that do not decode and would become dead letters: 1 of 20" in found
    assert all(line.isprintable() for line in found)


def test_counts_of_one_have_nouns_in_the_singular():
    one = telegraf_json(0) | {"fields": {"usage_idle": 1.0}}
    assert "; 1 reading in the last 1 of " in lines([record(one)])[0]


def test_a_record_with_texts_alone_is_not_called_a_dead_letter():
    only_texts = telegraf_json(18) | {"fields": {"version": "6.1"}}
    found = lines([*records(telegraf_json, 18), record(only_texts), record("fine")])
    assert "records that do not decode and would become dead letters: 1 of 20" in found


def test_only_the_first_series_are_listed():
    many = records(lambda number: telegraf_json(number) | {"tags": {"host": f"h{number}"}}, 30)
    found = lines(many)
    assert found[1].startswith("60 series")
    assert "  and 50 others" in found
    assert sum("step unknown" in line for line in found) == 10


@pytest.mark.parametrize(("divisor", "is_reported"), [(1, True), (2, False)])
def test_series_without_a_second_reading_are_reported(divisor, is_reported):
    sample = records(lambda number: telegraf_json(number) | {"tags": {"row": f"r{number // divisor}"}}, 60)
    assert any("no series has a second reading" in line for line in lines(sample)) == is_reported


def test_a_cut_sample_is_named():
    assert "the sample is small" in lines(records(telegraf_json), is_cut=True)[-1]
