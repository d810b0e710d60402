"""`fncast init` against a broker: what goes to which stream, and what it says where it cannot help."""

from __future__ import annotations

import json

import pytest

from consumer.settings import load
from fncast.cli.main import main
from tests.fncast.mock_broker import MockBroker
from tests.fncast.recognition.samples import influx_line, telegraf_json


@pytest.fixture(scope="module")
def broker():
    broker = MockBroker()
    yield broker
    broker.close()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder without settings."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def publish(broker: MockBroker, topic: str, count: int = 30) -> None:
    for number in range(count):
        value = json.dumps(telegraf_json(number)).encode()
        broker.producer.produce(topic, value, key=b"web-1", partition=number % 3)
    assert broker.producer.flush(10) == 0


def test_a_topic_becomes_settings_that_load(broker, folder, capsys):
    publish(broker, "telegraf")
    assert main(["init", "--bootstrap-servers", broker.address, "--topic", "telegraf"]) == 0
    out, err = capsys.readouterr()
    (folder / "fncast.toml").write_text(out)
    settings = load(environ={})
    [entry] = settings.inputs
    assert (entry.topic, entry.format, entry.rekey) == ("telegraf", "telegraf-json", True)
    assert settings.kafka.bootstrap_servers == broker.address
    assert settings.kafka.delivery == "at-least-once"  # an embedded broker
    assert "telegraf: telegraf-json; 60 readings in the last 30 of 30 records, 4 partitions" in err


def test_only_the_newest_records_are_read(broker, capsys):
    publish(broker, "long", 1000)
    assert main(["init", "--bootstrap-servers", broker.address, "--topic", "long"]) == 0
    assert "in the last 200 of 1,000 records" in capsys.readouterr().err


def test_a_topic_that_cannot_be_recognised_prints_no_settings(broker, capsys):
    for value in (b"hello", b"world"):
        broker.publish("chat", value)
    assert main(["init", "--bootstrap-servers", broker.address, "--topic", "chat"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "the topic chat is in no format that fncast knows" in err
    assert "'world'" in err


def test_a_missing_topic_is_not_created_and_others_are_named(broker, capsys):
    publish(broker, "telegraf", 1)
    assert main(["init", "--bootstrap-servers", broker.address, "--topic", "telegraph"]) == 1
    err = capsys.readouterr().err
    assert "the topic telegraph does not exist" in err
    assert "The topics are" in err
    assert "telegraph" not in broker.producer.list_topics(timeout=5).topics


def test_a_broker_that_is_not_there_ends_the_command(capsys):
    assert main(["init", "--bootstrap-servers", "127.0.0.1:1", "--topic", "telegraf"]) == 1
    assert "no Kafka answers at 127.0.0.1:1" in capsys.readouterr().err


def test_without_a_topic_the_only_candidate_is_used(capsys, monkeypatch):
    monkeypatch.setenv("FNCAST_MONITOR__ALERTS_TOPIC", "calls")
    broker = MockBroker()
    try:
        publish(broker, "telegraf")
        for topic in ("chat", "forecasts", "accuracy", "calls", "__internal"):
            broker.publish(topic, b"hello")
        assert main(["init", "--bootstrap-servers", broker.address]) == 0
        out, err = capsys.readouterr()
        assert 'topic = "telegraf"' in out
        assert "chat: is in no format that fncast knows" in err
        assert not any(written in err for written in ("forecasts", "accuracy", "calls"))
        assert "__internal" not in err
        for number in range(3):
            broker.publish("lines", influx_line(number).encode())
        assert main(["init", "--bootstrap-servers", broker.address]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert "choose one with --topic: lines, telegraf" in err
    finally:
        broker.close()
