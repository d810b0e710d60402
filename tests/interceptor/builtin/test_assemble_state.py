"""`assemble`: what it writes to the state with a record or a tick, and how it continues from that."""

from __future__ import annotations

from random import Random

import pytest
from prometheus_client import REGISTRY

from fncast.series.step import Step
from interceptor.assembly import snapshot_schedule
from interceptor.assembly.rules import Rules
from interceptor.assembly.snapshot_format import BUCKET
from interceptor.assembly.snapshot_schedule import SNAPSHOT_S
from interceptor.assembly.window import WindowEvent
from interceptor.delivery import StateRecord, Tick
from tests.fake_clock import FakeClock
from tests.interceptor.assembly.partitions import NEW_YEAR_S
from tests.interceptor.builtin.assembling import (
    EVENTS,
    TELEGRAF,
    Settle,
    chain,
    deliver,
    event,
    new_assemble,
    readings,
    record,
)


async def test_a_tick_closes_the_steps_that_are_due_and_writes_them_to_the_state() -> None:
    clock, settle = FakeClock(100.0), Settle()
    rules = Rules(window=4, minimum=1, step=Step.seconds(10), aggregate="mean")
    assemble = new_assemble(rules, clock)
    assemble.restore(TELEGRAF, 0, 1, 0, ())
    whole = chain(assemble, settle)
    await whole.on_consume(deliver(record(0), generation=1))
    timeless = Tick(TELEGRAF, 0, 0, 0, None, None, [])
    (delivery,) = (await whole.on_consume(deliver(timeless, generation=1))).deliveries
    assert settle.seen == []  # the partition is given away, or has more records
    assert [each.key for each in delivery.state] == [b"bucket/0", b"head"]
    early = Tick(TELEGRAF, 0, 0, (NEW_YEAR_S + 60) * 1000, None, None, [])
    (delivery,) = (await whole.on_consume(deliver(early, generation=1))).deliveries
    assert len(settle.seen) == 2
    assert delivery.is_done
    assert [each.key for each in delivery.state] == [b"bucket/0", b"head"]
    (delivery,) = (await whole.on_consume(deliver(early, generation=1))).deliveries
    assert (delivery.is_done, delivery.state) == (True, [])


async def test_a_snapshot_is_written_with_the_first_record_and_again_after_a_time_or_many_readings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = FakeClock(100.0)
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
    monkeypatch.setattr(snapshot_schedule, "SNAPSHOT_READINGS", 2)
    assert await keys(6) == [[b"bucket/0", b"head"]]


async def test_events_without_readings_have_no_state() -> None:
    clock = FakeClock(100.0)
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
    wanted = [f"cpu.{field} h=a@{NEW_YEAR_S + 10 * at}" for at in range(1, 40) for field in ("idle", "busy")]
    for seed in range(200):
        chance, topic, committed, found = Random(seed), {}, 0, []
        for generation in range(1, 100):
            clock = FakeClock(100.0)
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
        windows = [each.window for each in found if isinstance(each, WindowEvent)]
        assert [f"{window.series}@{window.end_ns // 10**9}" for window in windows] == wanted
        for window, at in zip(windows[::2], range(1, 40), strict=True):
            assert window.values.tolist()[-min(4, at + 1) :] == list(range(max(0, at - 3), at + 1))


async def test_the_gauges_hold_after_a_restart_and_when_a_partition_is_taken_away() -> None:
    def gauges() -> tuple[float | None, float | None]:
        names = ("fncast_series", "fncast_state_bytes")
        return tuple(REGISTRY.get_sample_value(name) for name in names)  # type: ignore[return-value]

    def tick(offset: int) -> Tick:
        return Tick(TELEGRAF, 0, offset, 0, None, None, [])

    series = [
        record(offset, b'{"name":"m%d","fields":{"a":1},"timestamp":1767225600}' % offset)
        for offset in range(BUCKET + 1)
    ]
    assemble = new_assemble()
    assemble.restore(TELEGRAF, 0, 1, 0, ())
    batch = await chain(assemble, Settle()).on_consume(deliver(*series, tick(BUCKET), generation=1))
    topic = {each.key: each for delivery in batch.deliveries for each in delivery.state}
    size = sum(len(each.value or b"") for each in topic.values())
    assert gauges() == (BUCKET + 1, size)
    again = new_assemble()
    again.restore(TELEGRAF, 0, 2, BUCKET + 1, topic.values())
    whole = chain(again, Settle())
    value = b'{"name":"m0","fields":{"a":2},"timestamp":1767225610}'  # changes one of the buckets
    last = BUCKET + 1
    batch = await whole.on_consume(deliver(record(last, value), tick(last), generation=2))
    topic |= {each.key: each for delivery in batch.deliveries for each in delivery.state}
    assert gauges() == (BUCKET + 1, sum(len(each.value or b"") for each in topic.values()))
    again.drop(TELEGRAF, 0)
    assert gauges() == (0, 0)
