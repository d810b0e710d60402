from __future__ import annotations

import gzip
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition

from fncast.cli.main import main

EVENT = {"specversion": "1.0", "id": "7", "source": "/meters", "type": "reading", "data": {"values": [1, 2]}}


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    client = Producer({"bootstrap.servers": "ignored:1", "test.mock.num.brokers": 1, "log_level": 0})
    yield ",".join(f"{node.host}:{node.port}" for node in client.list_topics(timeout=10).brokers.values())
    del client


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "cpu load.csv"
    lines = [f"2026-01-01T00:{5 * i:02}:00Z,{'' if i == 4 else i}" for i in range(10)]
    path.write_text("timestamp,value\n" + "\n".join(lines) + "\n")
    return path


def read(broker: str, topic: str, at_least: int) -> list[Message]:
    consumer = Consumer({"bootstrap.servers": broker, "group.id": topic, "auto.offset.reset": "earliest"})
    try:
        consumer.assign(
            [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(4)]
        )  # no group to join
        found: list[Message] = []
        for _ in range(100):
            found += consumer.consume(1000, 0.2)
            if len(found) >= at_least:
                break
        return found
    finally:
        consumer.close()


def produce(*words: object) -> int:
    return main(["produce", *map(str, words)])


def test_a_csv_file_is_published_as_windows(
    broker: str, csv: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert produce(csv, "--window", 3, "--bootstrap-servers", broker, "--topic", "csv") == 0
    assert "published 8 events to csv" in capfd.readouterr().err
    found = [(dict(m.headers()), orjson.loads(m.value()), m.key()) for m in read(broker, "csv", 8)]
    assert [data["values"] for _, data, _ in found][:3] == [[0, 1, 2], [1, 2, 3], [2, 3, None]]
    headers, data, key = found[0]
    assert (headers["ce_source"], headers["ce_id"]) == (b"fncast/produce/cpu%20load.csv", b"cpu load-3-2")
    assert (headers["ce_destination"], key, data["step_s"]) == (b"forecast", b"cpu load", 300)
    assert produce(csv, "--window", 3, "--bootstrap-servers", broker, "--topic", "again", "--every", 5) == 0
    again = read(broker, "again", 2)
    assert [dict(m.headers())["ce_id"] for m in again] == [b"cpu load-3-2", b"cpu load-3-7"]


def test_an_event_is_published_as_structured_json(broker: str, tmp_path: Path) -> None:
    path = tmp_path / "ce.json"
    path.write_bytes(orjson.dumps(EVENT))
    words = (
        "--topic",
        "one",
        "--destination",
        "anomaly",
        "--mode",
        "structured",
        "--bootstrap-servers",
        broker,
    )
    assert produce(path, *words) == 0
    [message] = read(broker, "one", 1)
    assert message.headers() == [("content-type", b"application/cloudevents+json")]
    document = orjson.loads(message.value())
    assert document == EVENT | {"destination": "anomaly", "datacontenttype": "application/json"}


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """standard_input(content): what the next command reads from standard input."""
    return lambda content: monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content)))
    )


def test_json_lines_are_published_up_to_a_wrong_one(
    broker: str, standard_input: Callable[[bytes], None], capfd: pytest.CaptureFixture[str]
) -> None:
    lines = orjson.dumps(EVENT) + b"\n\n" + orjson.dumps(EVENT | {"id": "8"}) + b'\n{"id": "9"}\n'
    standard_input(lines)
    assert produce("-", "--topic", "lines", "--bootstrap-servers", broker) == 1
    errors = capfd.readouterr().err
    assert "published 2 events to lines" in errors
    assert errors.endswith(
        "fncast: stdin, line 4: not a CloudEvent: specversion and source and type missing\n"
    )


STATES = "entity_id,state,last_changed\n" + "".join(
    f"sensor.{'ab'[i % 2]},{'unavailable' if i == 3 else i},2026-01-01 {i // 2:02}:00:00\n" for i in range(8)
)


@pytest.mark.parametrize("name", ["-", "states.csv", "states.txt.gz", "states"])
def test_the_reading_flags_apply_to_files_and_standard_input(
    broker: str,
    standard_input: Callable[[bytes], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    topic = f"states{len(name)}"
    content = STATES.encode()
    (tmp_path / "states.csv").write_bytes(content)
    (tmp_path / "states.txt.gz").write_bytes(gzip.compress(content))
    (tmp_path / "states").write_bytes(content)
    flags = ["--time-column", "last_changed", "--value-column", "state", "--series-column", "entity_id"]
    flags += ["--step", "3600", "--timezone", "Europe/Berlin", "--window", "3", "--topic", topic]
    words = ["--bootstrap-servers", broker, name, *flags]
    standard_input(content)
    assert produce(*words) == 0
    read_rows = "8 rows; 2 series (sensor.a, sensor.b); 2025-12-31T23:00:00Z to 2026-01-01T02:00:00Z"
    assert read_rows in capfd.readouterr().err
    found = [(m.key(), orjson.loads(m.value())["values"]) for m in read(broker, topic, 4)]
    assert sorted(found, key=str) == [
        (b"sensor.a", [0, 2, 4]),
        (b"sensor.a", [2, 4, 6]),
        (b"sensor.b", [1, None, 5]),
        (b"sensor.b", [None, 5, 7]),
    ]
    standard_input(content)
    assert produce(*words, "--strict") == 1
    assert "1 reading missing, which --strict does not allow" in capfd.readouterr().err


def test_live_feeds_are_published_until_a_signal(broker: str, csv: Path) -> None:
    command = [sys.executable, "-m", "fncast", "produce", "--shop", "--machine", "--replay", str(csv)]
    environment = os.environ | {"FNCAST_KAFKA__BOOTSTRAP_SERVERS": broker}
    words = ("--window", "4", "--topic", "live")
    process = subprocess.Popen([*command, *words], stderr=subprocess.PIPE, text=True, env=environment)
    try:
        wanted = {b"shop-orders", b"shop-memory", b"shop-response", b"cpu", b"memory", b"cpu load"}
        consumer = Consumer(
            {"bootstrap.servers": broker, "group.id": "live", "auto.offset.reset": "earliest"}
        )
        consumer.assign([TopicPartition("live", number, OFFSET_BEGINNING) for number in range(4)])
        ids = []
        seen = set()
        for _ in range(150):
            for message in consumer.consume(100, 0.2):
                if message.error() is None:
                    seen.add(message.key())
                    ids.append(dict(message.headers())["ce_id"])
            if wanted <= seen:
                break
        consumer.close()
        assert wanted <= seen
        assert len(ids) == len(set(ids))
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=5)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors
        assert "events to live" in errors
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "nothing to publish: pass a file, - for standard input, --machine or --shop"),
        (["notes.pdf"], "notes.pdf: is a PDF; save the table as CSV"),
        (["events.jsonl"], "events.jsonl: holds JSON, not CSV"),
        (["-", "-"], "- (standard input) is named more than once"),
        (["none.csv"], "none.csv: there is no such file"),
        (["none.json"], "none.json: No such file or directory"),
        (["empty.csv"], "empty.csv: the file is empty"),
        (["text.csv"], "text.csv, line 3: 'warm' is not a number"),
        (["short.csv"], "short.csv: short has 2 readings, but a window needs 48"),
        (["short.csv", "--window", "0"], "a window must have 1 to"),
        (["short.csv", "--rate", "0"], "the rate must be a positive number"),
        (["empty.json"], "empty.json: not JSON"),
        (["--shop", "--source", "a b"], "--source 'a b' is not a URI-reference"),
        (["--shop", "--replay"], "--replay needs a file of readings; pass one"),
    ],
)
def test_wrong_input_is_one_clear_sentence(
    words: list[str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.csv").touch()
    (tmp_path / "empty.json").touch()
    (tmp_path / "notes.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "events.jsonl").write_bytes(orjson.dumps(EVENT))
    (tmp_path / "short.csv").write_text("timestamp,value\n2026-01-01,1\n2026-01-02,2\n")
    (tmp_path / "text.csv").write_text("timestamp,value\n2026-01-01,1\n2026-01-02,warm\n")
    assert produce(*words, "--bootstrap-servers", "127.0.0.1:1") == 1
    errors = capfd.readouterr().err
    assert reason in errors
    assert len([line for line in errors.splitlines() if line.startswith("fncast:")]) == 1


def test_a_csv_file_is_published_as_single_readings(
    broker: str, csv: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = (csv, "--bootstrap-servers", broker, "--format")
    assert produce(*words, "telegraf-json", "--topic", "telegraf") == 0
    assert "published 9 readings to telegraf" in capfd.readouterr().err  # one of ten is missing
    found = [orjson.loads(message.value()) for message in read(broker, "telegraf", 9)]
    assert [metric["fields"]["value"] for metric in found] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert (found[0]["name"], found[0]["timestamp"]) == ("cpu load", 1_767_225_600_000)
    (tmp_path / "fncast.toml").write_text('[[inputs]]\ntopic = "plant"\nformat = "cloudevents"\n')
    assert produce(*words, "readings") == 0
    headers = dict(read(broker, "plant", 9)[0].headers())
    assert (headers["ce_type"], headers["ce_destination"]) == (b"io.fncast.reading.v1", b"forecast")


def test_single_readings_need_a_topic_and_a_file_of_readings(
    broker: str, csv: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert produce(csv, "--format", "telegraf-json", "--bootstrap-servers", broker) == 1
    assert "--format telegraf-json needs --topic" in capfd.readouterr().err
    event = tmp_path / "ce.json"
    event.write_bytes(orjson.dumps(EVENT))
    assert produce(event, "--format", "readings", "--topic", "x", "--bootstrap-servers", broker) == 1
    assert "needs files of readings, not events" in capfd.readouterr().err
