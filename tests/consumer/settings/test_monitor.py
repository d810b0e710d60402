"""The sections [monitor] and [[alerts]]."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumer.settings import Settings, SettingsError, load
from fncast.monitor.settings import JUDGE, monitor_rules, monitor_settings


def read(tmp_path: Path, text: str, **environ: str) -> Settings:
    file = tmp_path / "fncast.toml"
    file.write_text(text)
    return load(file, environ)


def test_the_monitor_reads_inputs_and_forecasts(tmp_path: Path) -> None:
    text = """
    [kafka]
    input_topics = ["metrics"]
    [[inputs]]
    topic = "telegraf"
    format = "telegraf-json"
    every = 6
    [monitor]
    accuracy_every = "15m"
    worse_than_last_for = 20
    [[alerts]]
    name = "disk"
    series = "web-*"
    above = 90
    within = "6h"
    """
    configured = read(tmp_path, text)
    of_monitor = monitor_settings(configured)
    assert of_monitor.kafka.input_topics == ("metrics", "telegraf", "forecasts")
    assert (of_monitor.kafka.group_id, of_monitor.kafka.output_topic) == ("fncast-monitor", "accuracy")
    assert of_monitor.interceptors.chain == ("assemble", JUDGE)
    assert of_monitor.windows_of("telegraf").every == 1
    assert of_monitor.kafka.client_properties()["partition.assignment.strategy"] == "range"
    rules = monitor_rules(configured)
    assert (rules.accuracy_every_s, rules.worse_than_last_for) == (900, 20)
    (rule,) = rules.alerts
    assert (rule.threshold, rule.within_s, rule.matches("web-1")) == (90.0, 21_600, True)


def test_the_monitor_does_not_read_its_own_topics(tmp_path: Path) -> None:
    text = """
    [[inputs]]
    topic = "metrics"
    [[inputs]]
    topic = "alerts"
    destination = "page-me"
    [routes]
    page-me = "fn:fncast/notify"
    """
    of_monitor = monitor_settings(read(tmp_path, text))
    assert of_monitor.kafka.input_topics == ("metrics", "forecasts")
    assert [entry.topic for entry in of_monitor.inputs] == ["metrics"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[monitor]\nalpha = 2", "alpha must be between 0 and 1"),
        ("[monitor]\nalphas = 0.1", "alphas"),
        (
            '[monitor]\nalerts_topic = "a b"',
            "line 2: [monitor.alerts_topic] alerts_topic 'a b' is not a topic",
        ),
        ('[monitor]\naccuracy_topic = ""', "line 2: [monitor.accuracy_topic] accuracy_topic is empty"),
        ('[monitor]\naccuracy_every = "often"', "is not a duration such as 90s"),
        ("[monitor]\nworse_than_last_for = -1", "worse_than_last_for must be from 0"),
        ('[[alerts]]\nname = "worse-than-last-value"\nabove = 1', "choose another"),
        ('[[alerts]]\nname = "a"\nseries = ""\nabove = 1', "series is empty"),
        ('[[alerts]]\nname = "a"', "needs either above or below"),
        ('[[alerts]]\nname = "a"\nabove = 1\nbelow = 2', "needs either above or below"),
        ('[[alerts]]\nname = "a"\nabove = nan', "must be a finite number"),
        ('[[alerts]]\nname = "a"\nabove = 1\nprobability = 1.5', "probability must be between 0 and 1"),
        ('[[alerts]]\nname = "a"\nabove = 1\nwithin = "1mo"', "is not a duration"),
        ('[[alerts]]\nname = "a"\nabove = 1\nfor_steps = 0', "for_steps must be from 1"),
        ('[[alerts]]\nname = "a"\nabove = 1\n[[alerts]]\nname = "a"\nbelow = 1', "already"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=r"fncast\.toml") as error:
        read(tmp_path, text)
    assert reason in str(error.value)


def test_alerts_come_from_the_file_only(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\[\[alerts\]\] works only in the file"):
        read(tmp_path, "", FNCAST_ALERTS__NAME="a")
    assert read(tmp_path, "", FNCAST_MONITOR__ALPHA="0.01").monitor.alpha == 0.01
