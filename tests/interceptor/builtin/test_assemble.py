"""`assemble`: windows take the place of the records that completed them; snapshots hang on the newest delivery."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from prometheus_client import REGISTRY

from fncast.series.step import Step
from interceptor.assembly.rules import Rules
from interceptor.assembly.window import WindowEvent
from interceptor.builtin import assemble as assemble_module
from interceptor.builtin.assemble import SNAPSHOT_S, Assemble, ReadingInput
from interceptor.chain import Chain, mark_done
from interceptor.contract import Interceptor
from interceptor.delivery import Batch, Delivery, Record, StateRecord, Tick
from interceptor.outcome import Assembled, DeadLetter, Skipped
from interceptor.readings.contract import Decoded
from interceptor.readings.formats import build_format

T = 1_767_225_600
RULES = Rules(window=4, minimum=2, step=Step.seconds(10))
TELEGRAF, EVENTS = "telegraf", "events"


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Settle(Interceptor):
    """The rest of the chain: it settles what a test wants."""

    def __init__(self, wants: Any = lambda event: True) -> None:
        self.wants = wants
        self.seen: list[str] = []

    async def on_consume(self, batch: Batch) -> Batch:
        for delivery in batch.pending():
            self.seen.append(str(delivery.opened.attributes["id"]))
            if self.wants(delivery.opened):
                delivery.outcome = Skipped("done")
        return batch


def new_assemble(rules: Rules = RULES, clock: Clock | None = None) -> Assemble:
    inputs = {
        TELEGRAF: ReadingInput(build_format("telegraf-json", {}), rules, destination="forecast"),
        EVENTS: ReadingInput(build_format("cloudevents", {}), rules, is_event=True),
    }
    return Assemble(inputs, clock or Clock())


def record(offset: int, value: Any = None, topic: str = TELEGRAF, headers: Any = ()) -> Record:
    """A metric of two fields, or another value."""
    if value is None:
        fields = {"idle": offset, "busy": -offset}
        value = json.dumps(
            {"name": "cpu", "tags": {"h": "a"}, "fields": fields, "timestamp": T + 10 * offset}
        ).encode()
    return Record(topic, 0, offset, (T + 10 * offset) * 1000, b"a", value, list(headers))


def deliver(*records: Record, generation: int = 0) -> Batch:
    return Batch([Delivery(each, generation) for each in records])


class MarkedChain(Chain):
    """A chain as the consumer's loop uses it."""

    async def on_consume(self, batch: Batch) -> Batch:
        batch = await super().on_consume(batch)
        mark_done(batch.deliveries)
        return batch


def chain(assemble: Assemble, *others: Interceptor) -> Chain:
    return MarkedChain([assemble, *others], reading_topics=[TELEGRAF])


def readings(topic: str, outcome: str) -> float:
    return REGISTRY.get_sample_value("fncast_readings_total", {"input": topic, "outcome": outcome}) or 0.0


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
    refused, _, good = batch.deliveries
    assert type(refused.outcome) is DeadLetter
    assert reason in refused.outcome.reason
    assert refused.outcome.kind == "undecodable"
    assert len(good.windows) == 2


async def test_values_that_are_not_numbers_are_counted_and_the_others_are_used() -> None:
    before = readings(TELEGRAF, "text"), readings(TELEGRAF, "stored")
    value = b'{"name":"cpu","fields":{"state":"up","idle":1},"timestamp":%d}' % T
    only_text = b'{"name":"cpu","fields":{"state":"up"},"timestamp":%d}' % T
    batch = await chain(new_assemble()).on_consume(deliver(record(0, value), record(1, only_text)))
    assert [delivery.outcome for delivery in batch.deliveries] == [Skipped("stored")] * 2
    assert (readings(TELEGRAF, "text"), readings(TELEGRAF, "stored")) == (before[0] + 2, before[1] + 1)


async def test_a_format_that_fails_makes_dead_letters(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def decode(self, value: bytes, *_: Any) -> Decoded:
            return Decoded([value[:1]], [T * 10**9], [1.0], {}) if value == b"good" else {}["key"]

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


def event(offset: int, type_: str, data: bytes) -> Record:
    attributes = {"specversion": "1.0", "id": str(offset), "source": "/s", "type": type_, "subject": "pump"}
    attributes["time"] = f"2026-01-01T00:00:{offset:02}0Z"[:19] + "Z"
    headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
    return record(offset, data, EVENTS, headers)


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


async def test_a_partition_that_was_taken_away_is_left_alone() -> None:
    assemble = new_assemble()
    assemble.restore(TELEGRAF, 0, 7, 0, ())
    batch = await chain(assemble).on_consume(deliver(record(0), generation=6))
    assert batch.deliveries[0].outcome is None
    assemble.drop(TELEGRAF, 0)
    batch = await chain(assemble).on_consume(deliver(record(0), generation=7))
    assert batch.deliveries[0].outcome is None


async def test_a_tick_closes_by_the_clock_and_writes_that() -> None:
    clock, settle = Clock(), Settle()
    rules = Rules(window=4, minimum=1, step=Step.seconds(10), aggregate="mean")
    assemble = new_assemble(rules, clock)
    assemble.restore(TELEGRAF, 0, 1, 0, ())
    whole = chain(assemble, settle)
    await whole.on_consume(deliver(record(0), generation=1))
    timeless = Tick(TELEGRAF, 0, 0, 0, None, None, [])
    (delivery,) = (await whole.on_consume(deliver(timeless, generation=1))).deliveries
    assert settle.seen == []  # the partition is given away, or has more records
    assert [each.key for each in delivery.state] == [b"bucket/0", b"head"]
    early = Tick(TELEGRAF, 0, 0, (T + 60) * 1000, None, None, [])
    (delivery,) = (await whole.on_consume(deliver(early, generation=1))).deliveries
    assert len(settle.seen) == 2
    assert delivery.is_done
    assert [each.key for each in delivery.state] == [b"bucket/0", b"head"]
    (delivery,) = (await whole.on_consume(deliver(early, generation=1))).deliveries
    assert (delivery.is_done, delivery.state) == (True, [])


async def test_a_snapshot_is_written_with_the_first_record_and_then_every_so_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    assemble = new_assemble(clock=clock)
    assert assemble.restore(TELEGRAF, 0, 1, 0, ()) == 0
    whole = chain(assemble, Settle())

    async def keys(*offsets: int) -> list[list[bytes]]:
        batch = await whole.on_consume(deliver(*map(record, offsets), generation=1))
        return [[each.key for each in delivery.state] for delivery in batch.deliveries]

    assert await keys(0, 1) == [[b"head"], []]
    clock.now_s += SNAPSHOT_S - 1
    assert await keys(2) == [[]]
    clock.now_s += 1
    assert await keys(3, 4) == [[], [b"bucket/0", b"head"]]
    assert await keys(5) == [[]]
    monkeypatch.setattr(assemble_module, "SNAPSHOT_READINGS", 2)
    assert await keys(6) == [[b"bucket/0", b"head"]]


async def test_events_without_readings_have_no_state() -> None:
    clock = Clock()
    assemble = new_assemble(clock=clock)
    assemble.restore(EVENTS, 0, 1, 0, ())
    whole = chain(assemble, Settle())
    for offset in range(5):
        clock.now_s += SNAPSHOT_S
        batch = await whole.on_consume(
            deliver(
                event(offset, "io.fncast.window.v1", b"[1]"),
                Tick(EVENTS, 0, offset, 0, None, None, []),
                generation=1,
            )
        )
        assert [delivery.state for delivery in batch.deliveries] == [[], []]


async def test_readings_that_are_replayed_are_not_counted_again() -> None:
    assemble = new_assemble()
    before = readings(TELEGRAF, "stored"), readings(TELEGRAF, "too-old")
    assemble.restore(TELEGRAF, 0, 1, 4, ())
    old = record(3, b'{"name":"cpu","tags":{"h":"a"},"fields":{"idle":1},"timestamp":1}')
    assemble.replay([*map(record, range(3)), old])
    await chain(assemble, Settle()).on_consume(deliver(record(4), generation=1))
    assert (readings(TELEGRAF, "stored"), readings(TELEGRAF, "too-old")) == (before[0] + 2, before[1])


async def test_a_consumer_that_ends_at_any_record_continues_with_the_same_windows() -> None:
    """The state topic, the committed offset and the outputs change together, as in a transaction."""
    history = [record(offset) for offset in range(40)]
    wanted = [f"cpu.{field} h=a@{T + 10 * at}" for at in range(1, 40) for field in ("idle", "busy")]
    for seed in range(200):
        chance, topic, committed, found = Random(seed), {}, 0, []
        for generation in range(1, 100):
            clock = Clock()
            assemble = new_assemble(clock=clock)
            state = [StateRecord(key, value) for key, value in topic.items()]
            begin = assemble.restore(TELEGRAF, 0, generation, committed, state)
            assemble.replay(history[begin:committed])
            whole = chain(assemble, Settle())
            for _ in range(chance.randint(0, 6)):
                clock.now_s += chance.choice([0, SNAPSHOT_S])
                size = chance.randint(1, 6)
                batch = deliver(*history[committed : committed + size], generation=generation)
                if not batch.deliveries:
                    break
                await whole.on_consume(batch)
                whole_batch = batch.deliveries[
                    : chance.choice([len(batch.deliveries), chance.randint(0, size)])
                ]
                for delivery in whole_batch:
                    topic |= {each.key: each.value for each in delivery.state if each.value is not None}
                    found += [window.opened for window in delivery.windows or ()]
                    committed = delivery.record.offset + 1
                if len(whole_batch) < len(batch.deliveries):
                    break
            if committed == len(history):
                break
        events = [event for event in found if isinstance(event, WindowEvent)]
        assert [f"{event.window.series}@{event.window.end_ns // 10**9}" for event in events] == wanted
        for event, at in zip(events[::2], range(1, 40), strict=True):
            assert event.window.values.tolist()[-min(4, at + 1) :] == list(range(max(0, at - 3), at + 1))
