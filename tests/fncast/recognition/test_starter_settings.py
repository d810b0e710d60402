"""The file that `fncast init` prints loads, for every format, and reads the sample as `fncast init` did."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.settings import RouteSettings, load
from fncast.recognition.recognition import recognise
from fncast.recognition.sample import Sample
from fncast.recognition.starter_settings import quoted, starter_settings
from fncast.recognition.trial import try_format
from tests.fncast.recognition.samples import SAMPLES, gateway, record, records, telegraf_json

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def written(sample, *, partitions=1, servers="kafka:9092", client=None, is_embedded=False):
    seen = Sample("readings", partitions, len(sample), sample, is_embedded=is_embedded)
    return starter_settings(seen, recognise("readings", sample), servers, client or {}, NOW)


def loaded(text: str, folder: Path):
    file = folder / "fncast.toml"
    file.write_text(text)
    return load(file, environ={})


@pytest.mark.parametrize("name", SAMPLES)
def test_the_file_loads_and_decodes_the_sample(name, tmp_path):
    format_, sample = SAMPLES[name]
    settings = loaded(written(sample), tmp_path)
    [entry] = settings.inputs
    assert (entry.topic, entry.format_name) == ("readings", format_)
    assert entry.has_readings == (name != "window events")
    assert settings.kafka.input_topics == ("readings",)
    assert settings.kafka.bootstrap_servers == "kafka:9092"
    again = try_format(entry.format_name, entry.format_options(), sample)
    assert again.share == 1.0
    assert again.series.keys() == recognise("readings", sample).trial.series.keys()


def test_readings_go_to_our_function_as_tensors(tmp_path):
    settings = loaded(written(records(telegraf_json)), tmp_path)
    assert settings.default_destinations() == {"readings": "forecast"}
    route = settings.routes["forecast"]
    assert isinstance(route, RouteSettings)
    assert (route.url, route.encoding, route.batch) == ("fn:fncast/forecast", "graphpipe", True)


def test_events_keep_their_own_destination(tmp_path):
    settings = loaded(written(SAMPLES["window events"][1]), tmp_path)
    assert settings.default_destinations() == {}


def test_each_comment_is_a_setting_that_exists(tmp_path):
    """Without the `# ` in front, each commented setting is valid, too."""
    lines = written(records(telegraf_json), partitions=3).splitlines()
    active = [line.removeprefix("# ") if " = " in line and line.startswith("# ") else line for line in lines]
    settings = loaded("\n".join(active), tmp_path)
    assert settings.inputs[0].rekey is True
    assert settings.inputs[0].include == ("cpu*",)
    assert settings.kafka.output_topic == "forecasts"


def test_the_step_that_was_found_is_a_comment():
    assert "# found: 10s" in written(records(telegraf_json))


def test_members_that_were_left_out_are_named():
    assert "# left out: status, it changes while the series continues" in written(records(gateway))


def test_a_spread_series_sets_rekey(tmp_path):
    sample = [record(telegraf_json(number), number, partition=number % 2) for number in range(8)]
    settings = loaded(written(sample, partitions=2), tmp_path)
    assert settings.inputs[0].rekey is True
    assert settings.windows.step == "10s"  # mixed partitions do not show the step
    assert loaded(written(sample[:1]), tmp_path).windows.step == "auto"


def test_secrets_stay_out_of_the_file(tmp_path):
    client = {"security.protocol": "SASL_SSL", "sasl.password": "hunter2", "sasl.username": "me"}
    text = written(records(telegraf_json), client=client)
    assert "hunter2" not in text
    assert "FNCAST_KAFKA__CLIENT__SASL_PASSWORD" in text
    properties = loaded(text, tmp_path).kafka.client_properties()
    assert properties["security.protocol"] == "SASL_SSL"
    assert properties["sasl.username"] == "me"


def test_the_embedded_broker_gets_its_delivery(tmp_path):
    assert (
        loaded(written(records(telegraf_json), is_embedded=True), tmp_path).kafka.delivery == "at-least-once"
    )


def test_names_from_outside_cannot_add_lines(tmp_path):
    sample = records(lambda number: {'bad"\n[fn]\nurl = "x': "a\nb", "v\x7f\u202e": 1.0, "id": 4})
    settings = loaded(written(sample), tmp_path)
    assert settings.fn.url == "http://localhost:8080"
    assert settings.inputs[0].json.values == ("v\x7f\u202e",)


@given(st.text())
def test_any_text_can_be_quoted(text):
    assert tomllib.loads(f"a = {quoted(text)}") == {"a": text}


def test_a_name_with_control_characters_is_not_proposed_as_an_example():
    text = written(records(lambda number: telegraf_json(number) | {"name": "\x1b[31m"}))
    assert '# include = ["cpu*"]' in text
