from __future__ import annotations

import pytest

from consumer.settings import load
from fncast.cli.records.page_decoders import page_decoders
from fncast.dashboard.events.record import ReceivedRecord
from fncast.failure import Failure


def test_a_wrong_format_ends_the_command(tmp_path):
    file = tmp_path / "fncast.toml"
    file.write_text('[[inputs]]\ntopic = "metrics"\nformat = "no.such:Format"\n')
    with pytest.raises(Failure, match="cannot be loaded"):
        page_decoders(load(file, environ={}))


def test_counters_of_the_settings_are_counters(tmp_path):
    file = tmp_path / "fncast.toml"
    file.write_text('[[inputs]]\ntopic = "t"\nformat = "telegraf-json"\ncounters = ["net.bytes_*"]\n')
    value = b'{"name": "net", "fields": {"bytes_recv": 5, "speed": 7}, "tags": {}, "timestamp": 1700000000}'
    readings = page_decoders(load(file, environ={}))["t"](ReceivedRecord("t", 0, 0, 1.7e9, value))
    assert [(each.series, each.is_counter) for each in readings] == [
        ("net.bytes_recv", True),
        ("net.speed", False),
    ]
