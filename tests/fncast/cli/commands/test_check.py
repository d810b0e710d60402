"""`fncast check` against a broker and a function: a row for each hop, within a time, without a trace on the broker."""

from __future__ import annotations

import json
import time

import pytest
from fake_function import Function

from fncast.cli.main import main
from tests.fncast.mock_broker import MockBroker
from tests.fncast.recognition.samples import telegraf_json

SETTINGS = """
[kafka]
bootstrap_servers = "{broker}"
delivery = "at-least-once"
[[inputs]]
topic = "telegraf"
format = "telegraf-json"
destination = "forecast"
[fn]
url = "{function}"
"""


@pytest.fixture(scope="module")
def broker():
    broker = MockBroker()
    begin_s = int(time.time()) - 300
    for number in range(30):
        reading = telegraf_json(number) | {"timestamp": begin_s + 10 * number}
        broker.publish("telegraf", json.dumps(reading).encode(), partition=1)
    yield broker
    broker.close()


@pytest.fixture
def function():
    function = Function()
    yield function
    function.close()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(capsys) -> dict[str, str]:
    return {row["hop"]: row["result"] for row in map(json.loads, capsys.readouterr().out.splitlines())}


def test_each_hop_that_works_is_ok_and_the_exit_code_is_0(broker, function, folder, capsys):
    (folder / "fncast.toml").write_text(SETTINGS.format(broker=broker.address, function=function.url))
    assert main(["check"]) == 0
    out = capsys.readouterr().out
    assert "30 records in 4 partitions" in out
    assert "30 of the last 30 records are telegraf-json, 60 readings, 2 series" in out
    assert main(["check", "--json"]) == 0
    assert rows(capsys) == {
        "settings": "ok",
        "broker": "ok",
        "topic telegraf": "ok",
        "records of telegraf": "ok",
        "topic forecasts": "ok",
        "topic dead-letters": "ok",
        "topic fncast-state": "ok",
        "route forecast": "ok",
        "function forecast": "ok",
        "model behind forecast": "ok",
    }
    assert set(broker.producer.list_topics(timeout=5).topics) == {"telegraf"}


def test_what_is_down_is_a_row_and_not_a_hang(folder, capsys):
    (folder / "fncast.toml").write_text(SETTINGS.format(broker="127.0.0.1:1", function="http://127.0.0.1:1"))
    started_s = time.monotonic()
    assert main(["check", "--json"]) == 1
    assert time.monotonic() - started_s < 30
    captured = capsys.readouterr()
    found = {row["hop"]: row["result"] for row in map(json.loads, captured.out.splitlines())}
    assert found == {
        "settings": "ok",
        "broker": "failed",
        "topic telegraf": "not tried",
        "route forecast": "failed",
        "function forecast": "not tried",
    }
    assert "2 of 5 checks failed" in captured.err


def test_a_topic_that_is_missing_is_a_row(broker, function, folder, capsys):
    text = SETTINGS.format(broker=broker.address, function=function.url)
    (folder / "fncast.toml").write_text(text.replace('"telegraf"', '"telegraph"'))
    assert main(["check"]) == 1
    assert "it does not exist, or this login may not see it" in capsys.readouterr().out
    assert "telegraph" not in broker.producer.list_topics(timeout=5).topics


def test_a_wrong_setting_is_a_row(folder, capsys):
    (folder / "fncast.toml").write_text('[kafka]\ndelivry = "at-least-once"\n')
    assert main(["check", "--json"]) == 1
    assert rows(capsys) == {
        "settings": "failed",
        "broker": "not tried",
        "topics": "not tried",
        "routes": "not tried",
    }


def test_an_empty_file_is_named(folder, capsys):
    """`fncast init > fncast.toml` leaves an empty file if it fails."""
    (folder / "fncast.toml").write_text("")
    assert main(["check", "--bootstrap-servers", "127.0.0.1:1"]) == 1
    assert "fncast.toml is empty" in capsys.readouterr().out
