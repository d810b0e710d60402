"""A series in two partitions of an input is named once."""

from __future__ import annotations

import json
import logging

import pytest

from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.spread_series import SpreadSeries
from interceptor.readings.formats import build_format


def windows(*hosts: str) -> PartitionWindows:
    format_ = build_format("telegraf-json", {})
    created = PartitionWindows(format_, Rules(), "telegraf")
    for host in hosts:
        add(created, host)
    return created


def add(created: PartitionWindows, host: str) -> None:
    record = {"name": "cpu", "tags": {"host": host}, "timestamp": 1_700_000_000, "fields": {"idle": 1}}
    decoded = build_format("telegraf-json", {}).decode(json.dumps(record).encode(), None, [], 0)
    created.add(decoded, 1_800_000_000_000, 0)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_a_series_in_two_partitions_is_named_once(caplog):
    spread = SpreadSeries()
    first, second = windows("a", "b"), windows("c")
    partitions = {("telegraf", 0): first, ("telegraf", 3): second, ("other", 0): windows("a")}
    spread.look(partitions)
    assert warnings(caplog) == []
    add(second, "b")
    spread.look(partitions)
    (warning,) = warnings(caplog)
    assert warning.startswith("the series 'cpu.idle host=b' comes in partitions 0 and 3 of telegraf")
    assert "rekey = true" in warning
    add(second, "a")
    spread.look(partitions)
    assert len(warnings(caplog)) == 1
