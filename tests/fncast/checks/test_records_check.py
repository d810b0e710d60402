"""Records of an input topic against its settings."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest

from consumer.settings import InputSettings, JsonMapping
from fncast.checks.records_check import check_records
from fncast.recognition.sample import Sample
from tests.fncast.recognition.samples import AT_S, SAMPLES, influx_line, record, records, telegraf_json

TELEGRAF = InputSettings("telegraf", "telegraf-json", "forecast")
WINDOWS = SAMPLES["window events"][1]
NOW = datetime.fromtimestamp(AT_S, UTC) + timedelta(hours=1)


def check(entry: InputSettings, sample, routes=("forecast",), now=NOW):
    for_windows = {name: name == "forecast" for name in routes}
    return check_records(entry, Sample(entry.topic, 2, len(sample), sample), for_windows, now)


def alert(number: int, destination: str = "page-me"):
    attributes = {"specversion": "1.0", "id": str(number), "source": "/m", "type": "io.fncast.alert.v1"}
    event = attributes | {"destination": destination, "data": {"rule": "hot", "state": "open"}}
    headers = [("content-type", b"application/cloudevents+json")]
    return record(event, number, headers=headers)


def test_records_in_the_format_of_the_settings_are_ok():
    row = check(TELEGRAF, records(telegraf_json))
    assert (row.hop, row.result, row.fix) == ("records of telegraf", "ok", "")
    assert row.detail == "20 of the last 20 records are telegraf-json, 40 readings, 2 series"


def test_counts_of_one_have_nouns_in_the_singular():
    assert (
        check(InputSettings("metrics"), WINDOWS[:1]).detail
        == "1 of the last 1 record is cloudevents, 1 window, 1 series"
    )
    one = record({"metrics": [telegraf_json(0) | {"fields": {"usage_idle": 1.0}}]})
    assert check(TELEGRAF, [one]).detail == "1 of the last 1 record is telegraf-json, 1 reading, 1 series"


@pytest.mark.parametrize(
    ("entry", "sample", "result", "detail", "fix"),
    [
        (TELEGRAF, [], "warning", "no records yet", "send readings"),
        (TELEGRAF, records(influx_line), "failed", "0 of the last 20", 'set format = "influx-line"'),
        (
            InputSettings("telegraf"),
            records(telegraf_json),
            "failed",
            "0 of the last",
            'set format = "telegraf-json"',
        ),
        (TELEGRAF, [record("hello")], "failed", "0 of the last 1", "fncast init --topic telegraf shows"),
        (TELEGRAF, [*records(telegraf_json), record("x")], "warning", "1 record cannot be used", "send only"),
        (
            InputSettings("plant", destination="forecast"),
            SAMPLES["reading events"][1],
            "failed",
            "for windows only",
            'set format = "cloudevents" in [[inputs]] for plant',
        ),
        (
            InputSettings("telegraf", "telegraf-json"),
            records(telegraf_json),
            "failed",
            "dead letters, since they name no destination: 40",
            'set destination = "..."',
        ),
        (
            TELEGRAF,
            [record(telegraf_json(number), number, partition=number % 2) for number in range(8)],
            "failed",
            "series that come from more than one partition: 2",
            "rekey = true",
        ),
        (
            InputSettings("telegraf", "telegraf-json", "forecast", include=("mem.*",)),
            records(telegraf_json),
            "failed",
            "leave none",
            "'cpu.usage_idle cpu=cpu0 host=web-1'",
        ),
        (
            InputSettings("t", "json", "forecast", json=JsonMapping(values=("nothing",))),
            records(lambda number: {"id": 1, "temp": 2.0}),
            "failed",
            "looked for nothing",
            "proposes other settings",
        ),
        (
            InputSettings("t", "no.such:Format", "forecast"),
            records(telegraf_json),
            "failed",
            "cannot be loaded",
            "[[inputs]]",
        ),
    ],
)
def test_what_is_wrong_and_how_to_fix_it(entry, sample, result, detail, fix):
    row = check(entry, sample)
    assert row.result == result
    assert detail in row.detail
    assert fix in row.fix


def test_records_with_only_strings_become_no_dead_letters():
    texts = record({"name": "os", "tags": {}, "fields": {"uptime": "3 days"}, "timestamp": 1_700_000_000})
    row = check(TELEGRAF, [*records(telegraf_json), texts])
    assert row.result == "ok"
    assert (
        row.detail == "20 of the last 21 records are telegraf-json, 40 readings, 1 without a number, 2 series"
    )


class Faulty:
    """A user's format with a mistake."""

    def decode(self, value, key, headers, timestamp_ms):
        raise KeyError("temp")

    def series(self, key):
        raise NotImplementedError


def test_a_users_format_that_fails_is_a_row(monkeypatch):
    monkeypatch.setitem(sys.modules, "plant_formats", sys.modules[__name__])
    row = check(InputSettings("plant", "plant_formats:Faulty", "forecast"), records(telegraf_json))
    assert row.result == "failed"
    assert "its format failed: KeyError: 'temp'" in row.detail


def test_windows_go_to_the_route_that_they_name():
    assert (
        check(InputSettings("metrics"), WINDOWS).detail
        == "20 of the last 20 records are cloudevents, 20 windows, 1 series"
    )
    row = check(InputSettings("metrics"), WINDOWS, routes=("anomaly",))
    assert (row.result, row.detail[-10:]) == ("failed", "'forecast'")
    assert row.fix.endswith("routes are anomaly")


def test_events_without_a_window_may_go_to_other_functions():
    alerts = InputSettings("alerts", destination="page-me")
    routes = ("forecast", "page-me")
    row = check(alerts, [alert(0), alert(1, "")], routes)
    assert (row.result, row.detail) == (
        "ok",
        "2 of the last 2 records are cloudevents, 2 events without a window",
    )
    row = check(alerts, [alert(0), alert(1, "forecast"), record("x")], routes)
    assert row.result == "warning"
    assert (
        "1 of the last 3 records is cloudevents, 1 event without a window. 2 records cannot be used"
        in row.detail
    )
    row = check(InputSettings("alerts"), [alert(0, "gone"), alert(1)], routes)
    assert (row.result, row.detail.rpartition("; ")[2]) == ("failed", "destinations without a route: 'gone'")
    row = check(InputSettings("alerts"), [alert(0, "")], routes)
    assert (row.result, row.detail.rpartition(", ")[2]) == ("failed", "since they name no destination: 1")
    assert check(InputSettings("alerts"), [alert(0, "forecast")], routes).result == "failed"


def test_a_rekeyed_topic_may_spread_its_series():
    sample = [record(telegraf_json(number), number, partition=number % 2) for number in range(8)]
    assert check(InputSettings("telegraf", "telegraf-json", "forecast", rekey=True), sample).result == "ok"


def test_a_real_reason_is_shown_where_each_record_has_another_one():
    texts = [record(f"cpu usage=1 {at}.5") for at in range(100)]
    row = check(InputSettings("telegraf", "influx-line", "forecast"), texts)
    assert "is not an integer" in row.detail
    assert "other reasons" not in row.detail


def test_old_readings_are_named():
    row = check(TELEGRAF, records(telegraf_json), now=NOW + timedelta(days=400))
    assert row.result == "warning"
    assert "the newest reading is of 2023-11-14 22:16:30Z, 400 days ago" in row.detail
    assert "whether the producer still sends" in row.fix


def test_readings_of_a_wrong_time_zone_are_named():
    two_hours = [record(telegraf_json(number + 720), number) for number in range(20)]
    row = check(TELEGRAF, two_hours)
    assert row.result == "warning"
    assert "2023-11-15 00:16:30Z, is 2 h 0 min ahead of its record" in row.detail
    assert "time zone" in row.fix


def test_a_time_beyond_the_calendar_is_not_an_error():
    far = telegraf_json(0) | {"timestamp": 9_000_000_000_000_000_000}
    assert check(TELEGRAF, [record(far)]).result in ("ok", "warning")
