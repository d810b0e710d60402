"""`assemble`: windows take the place of the records that completed them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interceptor.builtin.assemble import Assemble, ReadingInput
from interceptor.chain import Chain
from interceptor.delivery import Batch, Record
from interceptor.outcome import Assembled, DeadLetter, Skipped
from interceptor.readings.contract import Decoded
from interceptor.readings.formats import build_format
from tests.interceptor.assembly.partitions import NEW_YEAR_S
from tests.interceptor.builtin.assembling import (
    EVENTS,
    RULES,
    TELEGRAF,
    Settle,
    chain,
    deliver,
    event,
    new_assemble,
    readings,
    record,
)


async def test_windows_take_the_place_of_their_record() -> None:
    settle = Settle()
    batch = await chain(new_assemble(), settle).on_consume(deliver(record(0), record(1)))
    first, second = batch.deliveries
    assert first.outcome == Skipped("stored")
    assert first.is_done
    assert type(second.outcome) is Assembled
    assert second.is_done
    assert settle.seen == [
        "cpu.idle h=a@2026-01-01T00:00:10Z",
        "cpu.busy h=a@2026-01-01T00:00:10Z",
    ]
    window = second.windows[0]
    assert window.opened.attributes == {
        "specversion": "1.0",
        "id": "cpu.idle h=a@2026-01-01T00:00:10Z",
        "source": "kafka:telegraf",
        "type": "io.fncast.window.v1",
        "subject": "cpu.idle h=a",
        "datacontenttype": "application/json",
        "destination": "forecast",
    }
    assert json.loads(window.opened.data) == {
        "start": "2025-12-31T23:59:40Z",
        "step_s": 10,
        "values": [None, None, 0, 1],
        "labels": {"h": "a"},
    }
    assert json.loads(window.opened.to_json()) == {
        **window.opened.attributes,
        "data": json.loads(window.opened.data),
    }
    assert window.key == b"cpu.idle h=a"
    assert window.record is second.record


async def test_a_record_waits_for_all_its_windows_and_is_not_assembled_again() -> None:
    settle = Settle(lambda event: "idle" in event.text("subject"))
    assemble = new_assemble()
    whole = chain(assemble, settle)
    batch = await whole.on_consume(deliver(record(0), record(1)))
    waiting = batch.deliveries[1]
    assert waiting.outcome is None
    assert not waiting.is_done
    again = Batch([waiting])
    assert [each.key for each in again.pending()] == [b"cpu.busy h=a"]
    settle.wants = lambda event: True
    await whole.on_consume(again)
    assert waiting.is_done
    assert settle.seen[2:] == ["cpu.busy h=a@2026-01-01T00:00:10Z"]
    (*_, newest) = (await whole.on_consume(deliver(record(2)))).deliveries
    assert [window.opened.window.values[-2:].tolist() for window in newest.windows] == [[1, 2], [-1, -2]]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{", "not a metric in Telegraf's JSON format"),
        (
            b'{"name":"cpu","fields":{"idle":1},"timestamp":"soon"}',
            "none of its readings can be read (no-time: 1)",
        ),
    ],
)
async def test_a_record_that_cannot_be_read_is_a_dead_letter(value: bytes, reason: str) -> None:
    batch = await chain(new_assemble()).on_consume(deliver(record(0, value), record(0), record(1)))
    rejected, _, good = batch.deliveries
    assert type(rejected.outcome) is DeadLetter
    assert reason in rejected.outcome.reason
    assert rejected.outcome.kind == "undecodable"
    assert len(good.windows) == 2


async def test_values_that_are_not_numbers_are_counted_and_the_others_are_used() -> None:
    before = readings(TELEGRAF, "text"), readings(TELEGRAF, "stored")
    value = b'{"name":"cpu","fields":{"state":"up","idle":1},"timestamp":%d}' % NEW_YEAR_S
    only_text = b'{"name":"cpu","fields":{"state":"up"},"timestamp":%d}' % NEW_YEAR_S
    batch = await chain(new_assemble()).on_consume(deliver(record(0, value), record(1, only_text)))
    assert [delivery.outcome for delivery in batch.deliveries] == [Skipped("stored")] * 2
    assert (readings(TELEGRAF, "text"), readings(TELEGRAF, "stored")) == (before[0] + 2, before[1] + 1)


async def test_a_format_that_fails_makes_dead_letters(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def decode(self, value: bytes, *_: Any) -> Decoded:
            return Decoded([value[:1]], [NEW_YEAR_S * 10**9], [1.0], {}) if value == b"good" else {}["key"]

        def series(self, key: bytes) -> None:
            raise RuntimeError("a bug")

    chain_ = Chain([Assemble({TELEGRAF: ReadingInput(Broken(), RULES)})], reading_topics=[TELEGRAF])
    bad, good = (await chain_.on_consume(deliver(record(0, b"bad"), record(1, b"good")))).deliveries
    assert bad.outcome == DeadLetter("its format failed: KeyError: 'key'", kind="undecodable")
    assert good.outcome == DeadLetter("none of its readings can be read (no-series: 1)", kind="undecodable")
    assert "telegraf: its format cannot name a series" in caplog.text
    assert readings(TELEGRAF, "no-series") > 0


async def test_a_record_without_a_value_is_skipped() -> None:
    tombstone = Record(TELEGRAF, 0, 0, 0, b"k", None, [])
    (delivery,) = (await chain(new_assemble()).on_consume(deliver(tombstone))).deliveries
    assert delivery.outcome == Skipped("the record has no value")


async def test_events_that_are_readings_are_assembled_and_others_pass() -> None:
    settle = Settle()
    batch = deliver(
        event(0, "io.fncast.reading.v1", b'{"value":1}'),
        event(1, "io.fncast.window.v1", b"[1,2]"),
        event(1, "io.fncast.reading.v1", b'{"value":2,"unit":"C"}'),
        record(9, b"no event", EVENTS),
    )
    await chain(new_assemble(), settle).on_consume(batch)
    kinds = [type(delivery.outcome).__name__ for delivery in batch.deliveries]
    assert kinds[:2] == ["Skipped", "Skipped"]
    assert kinds[3] == "DeadLetter"
    assert settle.seen[0] == "1"


async def test_an_event_that_waits_passes_again() -> None:
    settle = Settle(lambda event: False)
    whole = chain(new_assemble(), settle)
    batch = deliver(event(0, "io.fncast.window.v1", b"[1,2]"))
    for _ in range(3):
        await whole.on_consume(batch)
    assert settle.seen == ["0"] * 3
    assert batch.deliveries[0].state == []


async def test_a_window_that_was_a_dead_letter_can_be_sent_again() -> None:
    settle = Settle()
    assemble = new_assemble()
    whole = chain(assemble, settle)
    batch = await whole.on_consume(deliver(record(0), record(1)))
    window = batch.deliveries[1].windows[0].opened
    structured = record(2, window.to_json(), headers=[("content-type", b"application/cloudevents+json")])
    await whole.on_consume(deliver(structured))
    assert settle.seen[-1] == window.attributes["id"]
    assert len(settle.seen) == 3


async def test_records_of_other_topics_pass() -> None:
    settle = Settle()
    other = event(0, "io.fncast.reading.v1", b'{"value":1}')
    other.topic = "elsewhere"
    await chain(new_assemble(), settle).on_consume(deliver(other))
    assert settle.seen == ["0"]


async def test_records_of_a_partition_that_was_taken_away_stay_unsettled() -> None:
    assemble = new_assemble()
    assemble.restore(TELEGRAF, 0, 7, 0, ())
    batch = await chain(assemble).on_consume(deliver(record(0), generation=6))
    assert batch.deliveries[0].outcome is None
    assemble.drop(TELEGRAF, 0)
    batch = await chain(assemble).on_consume(deliver(record(0), generation=7))
    assert batch.deliveries[0].outcome is None


async def test_a_record_whose_timestamp_no_time_can_show_gives_no_reading() -> None:
    lines = ReadingInput(build_format("influx-line", {}), RULES, destination="forecast")
    far_ms = 2**63 - 1  # Kafka's largest timestamp
    records = [Record(TELEGRAF, 0, offset, far_ms, b"a", b"cpu value=1", []) for offset in range(2)]
    batch = await chain(Assemble({TELEGRAF: lines}), Settle()).on_consume(deliver(*records))
    assert all(isinstance(delivery.outcome, DeadLetter) for delivery in batch.deliveries)
