"""Settings: three sources, one frozen object; a mistake is reported with its place."""

import pytest

from consumer.settings import SettingsError, load


def test_defaults_are_the_documented_block(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load(environ={})
    assert settings.kafka.bootstrap_servers == "localhost:9092"
    assert settings.kafka.input_topics == ("metrics",)
    assert (settings.kafka.output_topic, settings.kafka.dead_letter_topic) == ("forecasts", "dead-letters")
    assert settings.kafka.outage_topic == "outages"
    assert settings.kafka.delivery == "exactly-once"
    assert settings.routes == {"forecast": "fn:fncast/forecast"}
    assert settings.admin.port == 9464


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[kafka]\noutage_topic = "dead-letters"\n', "different topics"),
        ('[kafka]\noutput_topic = "dead-letters"\n', "different topics"),
        ("[fn]\ntimeout_s = nan\n", "timeout_s must be positive"),
        ('[fn]\nurl = "http://"\n', "names no host"),
        ('[fn]\nurl = "http://me:hunter2@fn:8080"\n', r"\[fn.url\] url 'http://fn:8080' .* token_file"),
        ('[routes]\na = {url = "http://x:y@[::bad"}\n', "cannot be read"),
    ],
)
def test_settings_that_could_not_work_are_rejected(write, text, message):
    with pytest.raises(SettingsError, match=message):
        load(write(text), {})
