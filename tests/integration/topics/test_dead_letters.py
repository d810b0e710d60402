"""`fncast dead-letters`: list, show, and replay each once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

pytestmark = [pytest.mark.integration, pytest.mark.docker]


def run(testbed, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "fncast",
            "dead-letters",
            *words,
            "--bootstrap-servers",
            testbed.bootstrap_servers,
        ],
        env={
            "FNCAST_KAFKA__DEAD_LETTER_TOPIC": testbed.dead,
            "FNCAST_KAFKA__INPUT_TOPICS": testbed.metrics,
            "FNCAST_KAFKA__GROUP_ID": testbed.group,
        },
        capture_output=True,
        text=True,
        timeout=40,
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.mark.guarantee("dead letters are listed, shown and replayed once each")
def test_letters_are_listed_shown_and_replayed_once_each(exactly_once_testbed):
    testbed = exactly_once_testbed
    for number in range(3):
        testbed.produce(f"lost:{number}", b"key", destination="nowhere")
    headers = [*testbed.event("other:1"), ("raw", b"\xff"), ("twice", b"1"), ("twice", b"2")]
    testbed.produce("", b"\x00key", b"not json", headers, partition=2)
    testbed.flush()
    consumer = testbed.consume()
    testbed.wait_for(testbed.dead, 4)

    lines = [json.loads(line) for line in run(testbed, "list", "--json").splitlines()]
    assert sorted(line["id"] for line in lines) == ["lost:0", "lost:1", "lost:2", "other:1"]
    assert run(testbed, "list", "--destination", "forecast").count("\n") == 1
    assert run(testbed, "list", "--since", "2999-01-01T00:00:00Z") == ""
    assert run(testbed, "list", "--reason", "UNKNOWN destination", "--since", "1h").count("nowhere") >= 3
    assert "neither an RFC 3339 time" in run(testbed, "list", "--since", "soon", code=1)
    place = next(line["place"] for line in lines if line["id"] == "other:1")
    shown = json.loads(run(testbed, "show", place))
    assert (shown["key"], shown["value"]) == ("\x00key", "not json")
    assert ["raw", {"base64": "/w=="}] in shown["headers"]
    assert "no dead letter 0/999" in run(testbed, "show", "0/999", code=1)
    assert "no such place" in run(testbed, "show", "0/99999999999999999999", code=1)
    assert "before the year 1" in run(testbed, "list", "--since", "99999999999d", code=1)

    assert consumer.terminate() == 0
    assert "1 dead letter would be replayed" in run(
        testbed, "replay", "--reason", "not valid json", "--dry-run"
    )
    assert "1 dead letter replayed" in run(testbed, "replay", "--reason", "not valid json")
    assert "0 dead letters replayed" in run(testbed, "replay", "--reason", "not valid json")  # each once
    again = [m for m in testbed.read_all(testbed.metrics) if m.key() == b"\x00key"]
    assert len(again) == 2
    assert again[0].headers() == again[1].headers() == headers
    assert again[0].value() == again[1].value()
    assert {m.partition() for m in again} == {2}

    assert "4 dead letters replayed" in run(testbed, "replay")
    assert len(testbed.read_all(testbed.metrics)) == 4 + 1 + 4


@pytest.mark.guarantee("a dead letter of any size that its topic allows is replayed")
def test_a_letter_as_large_as_its_topic_allows_is_replayed(exactly_once_testbed):
    testbed = exactly_once_testbed
    testbed.metrics, testbed.dead = f"large-{testbed.tag}", f"large-dead-{testbed.tag}"
    testbed.create_topics(
        NewTopic(testbed.metrics, 1, config={"max.message.bytes": "3000000"}),
        NewTopic(testbed.dead, 1, config={"max.message.bytes": "3100000"}),
    )
    producer = Producer({"bootstrap.servers": testbed.bootstrap_servers, "message.max.bytes": 3_000_000})
    producer.produce(testbed.metrics, b"x" * 2_500_000)
    assert producer.flush(20) == 0
    consumer = testbed.consume()
    testbed.wait_for(testbed.dead, 1)
    assert consumer.terminate() == 0
    assert "1 dead letter replayed" in run(testbed, "replay")
    assert [len(message.value()) for message in testbed.read_all(testbed.metrics)] == [2_500_000] * 2


def test_a_thousand_letters_are_replayed_in_several_transactions(exactly_once_testbed):
    testbed = exactly_once_testbed
    testbed.variables["KAFKA__PAUSE_AFTER_REFUSED"] = "0"  # all of them are rejected for the same reason
    ids = [f"k{number % 8}:{number}" for number in range(1200)]
    for id_ in ids:
        testbed.produce(id_, id_.split(":")[0].encode(), destination="nowhere")
    testbed.flush()
    consumer = testbed.consume()
    testbed.wait_for(testbed.dead, len(ids))
    assert consumer.terminate() == 0
    assert "1,200 dead letters replayed" in run(testbed, "replay")
    assert "0 dead letters replayed" in run(testbed, "replay")
    again = [dict(m.headers())["ce_id"].decode() for m in testbed.read_all(testbed.metrics)]
    assert len(again) == 2 * len(ids)
    for key in range(8):
        of_key = [id_ for id_ in ids if id_.startswith(f"k{key}:")]
        assert [id_ for id_ in again if id_.startswith(f"k{key}:")] == of_key * 2


def test_foreign_letters_are_listed_and_those_whose_topic_is_there_are_replayed(exactly_once_testbed):
    testbed = exactly_once_testbed
    sent_headers = [
        *testbed.event("mine", destination="nowhere"),
        ("knativeerrordata", b"mine"),
        ("fncast-offset", b"5"),
    ]
    testbed.produce("", b"mine", b"{}", sent_headers)
    testbed.flush()
    consumer = testbed.consume()
    testbed.wait_for(testbed.dead, 1)
    assert consumer.terminate() == 0
    gone_topic = f"gone-{testbed.tag}"
    escapes = b"\x1b[2J\x1b[31mEVIL\r\n2026-01-01 INFO fncast: forged"
    foreign = {
        b"escapes": [("fncast-reason", escapes), ("fncast-topic", testbed.metrics.encode())],
        b"digits": [("fncast-attempts", b"9" * 5000), ("fncast-partition", b"9" * 5000)],
        b"gone": [("fncast-reason", b"x"), ("fncast-topic", gone_topic.encode())],
        b"no name": [("fncast-topic", b"m\xff \x1b[2J" * 1000)],
    }
    for key, headers in foreign.items():
        testbed.producer.produce(testbed.dead, b"value", key, headers=headers)
    testbed.flush()

    listed = run(testbed, "list")
    assert len(listed.splitlines()) == 5
    assert all(line.isprintable() for line in listed.splitlines())
    assert "EVIL" in listed
    letters = [json.loads(line) for line in run(testbed, "list", "--json").splitlines()]
    assert {str(letter["attempts"])[:3] for letter in letters} == {"0", "999"}
    gone = next(letter["place"] for letter in letters if letter["topic"] == gone_topic)

    message = run(testbed, "replay", code=1)
    assert "2 dead letters were not replayed" in message
    assert f"{gone}: there is no topic '{gone_topic}'" in message
    assert message.replace("\n", "").isprintable()
    again = [m for m in testbed.read_all(testbed.metrics) if m.key() == b"mine"]
    assert [message.headers() for message in again] == [sent_headers, sent_headers]
    assert {m.key() for m in testbed.read_all(testbed.metrics)} == {b"mine", b"escapes", b"digits"}

    testbed.create_topics(NewTopic(gone_topic, 1))
    assert "0 dead letters replayed" in run(testbed, "replay")
    assert "1 dead letter replayed" in run(testbed, "replay", "--place", gone)
    assert [message.key() for message in testbed.read_all(gone_topic)] == [b"gone"]


def test_a_missing_topic_is_one_clear_sentence(exactly_once_testbed):
    assert "there is no topic 'nothing'" in run(exactly_once_testbed, "list", "--topic", "nothing", code=1)
