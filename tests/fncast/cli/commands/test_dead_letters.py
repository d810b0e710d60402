"""What `fncast dead-letters` takes and prints."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Producer

from consumer.kafka.dead_letters.filter import DeadLetterFilter
from consumer.kafka.embedded import EmbeddedBroker
from consumer.settings import KafkaSettings
from fncast.cli.commands import dead_letters as command
from fncast.failure import Failure


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01t00:00:00z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
    ],
)
def test_since_is_an_rfc_3339_time(text: str, moment: datetime) -> None:
    assert command.parse_since(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "20260101T000000Z",
        "2026-W01-1T00:00:00Z",
        "2026-01-01T00:00:00+0200",
        "2026-01-01T00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00,5Z",
        "٣m",
        "m",
        "9" * 50 + "d",
        "\x1b[2J" * 1000,
    ],
)
def test_since_is_rejected_with_both_forms(text: str) -> None:
    with pytest.raises(Failure, match="neither an RFC 3339 time, such as 2026-01-31T12:00:00Z") as caught:
        command.parse_since(text)
    assert len(str(caught.value)) < 250
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["0", "a/b", "-1/0", "0/" + "9" * 5000, "٣/0", "", "0/1/2", "\x1b[2J"])
def test_a_wrong_place_is_an_error(text: str) -> None:
    with pytest.raises(Failure, match="not of the form PARTITION/OFFSET") as caught:
        command.parse_place(text, "dead")
    assert str(caught.value).isprintable()


def test_an_age_is_counted_back_from_now() -> None:
    since = command.parse_since("2h")
    assert since is not None
    assert timedelta(hours=2) <= datetime.now(UTC) - since < timedelta(hours=2, minutes=1)


def test_a_list_without_letters_says_so_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    broker = EmbeddedBroker()
    try:
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        assert producer.list_topics("dead", timeout=10).topics["dead"].partitions
        kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        assert command.list_letters(kafka, "dead", DeadLetterFilter(), as_json=False) == 0
        producer.produce("dead", b"v", partition=0)
        assert producer.flush(10) == 0
        assert (
            command.list_letters(kafka, "dead", DeadLetterFilter(reason="no such reason"), as_json=False) == 0
        )
    finally:
        broker.close()
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err == "dead: there are no dead letters\ndead: no match in 1 dead letter\n"
