from __future__ import annotations

import sys

import pytest

from consumer.settings import load
from fncast.cli.records.page_decoders import page_decoders
from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.events.single_reading import UndecodableReading
from fncast.failure import Failure
from interceptor.readings.contract import Decoded


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


class Faulty:
    """A user's format with a mistake."""

    def decode(self, value, key, headers, timestamp_ms):
        if value == b"x":
            raise KeyError("temp")
        return Decoded(["a"], [1], [1.0])

    def series(self, key):
        raise NotImplementedError


def faulty_decoder(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "plant_formats", sys.modules[__name__])
    file = tmp_path / "fncast.toml"
    file.write_text('[[inputs]]\ntopic = "t"\nformat = "plant_formats:Faulty"\n')
    return page_decoders(load(file, environ={}))["t"]


def test_a_users_format_that_fails_makes_a_record_undecodable(tmp_path, monkeypatch):
    decode = faulty_decoder(tmp_path, monkeypatch)
    with pytest.raises(UndecodableReading, match="its format failed: KeyError: 'temp'"):
        decode(ReceivedRecord("t", 0, 0, 1.7e9, b"x"))
    assert decode(ReceivedRecord("t", 0, 0, 1.7e9, b"y")) == []


def test_a_record_that_deletes_a_key_has_no_readings(tmp_path, monkeypatch):
    assert faulty_decoder(tmp_path, monkeypatch)(ReceivedRecord("t", 0, 0, 1.7e9, None)) == []
