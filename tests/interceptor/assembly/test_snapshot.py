"""A partition that is restored and replays the input continues exactly as one that never stopped."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interceptor.assembly import snapshot, snapshot_format
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.series_window import MAX_BEHIND
from interceptor.delivery import StateRecord
from interceptor.errors import StateError
from tests.interceptor.assembly.partitions import (
    START,
    Names,
    Record,
    decoded,
    new_partition,
    plain,
    random_records,
    random_setting,
)
from tests.interceptor.assembly.reference import AGGREGATES, Found, Setting

SETTING = Setting(step=10, window=4, needed=1)
HISTORY: list[Record] = [(START + 10 * at, [("a", START + 10 * at, float(at))]) for at in range(8)]
Topic = dict[bytes, bytes | None]


def feed(partition: PartitionWindows, record: Record, offset: int) -> list[Found]:
    timestamp, readings = record
    partition.next_offset = offset + 1
    return plain(partition.add(decoded(readings), round(timestamp * 1000), offset))


def everything(partition: PartitionWindows) -> list[tuple[bytes, bytes | None]]:
    """The whole state as bytes."""
    partition.changed.update(range(len(partition.series)))
    return [(record.key, record.value) for record in snapshot.write(partition)]


def restore(partition: PartitionWindows, topic: Topic, committed: int) -> PartitionWindows:
    partition.next_offset = committed
    snapshot.read(partition, [StateRecord(key, value) for key, value in topic.items()], "t/0", committed)
    return partition


def new(setting: Setting, is_found: bool) -> PartitionWindows:
    """is_found: whether the step is found from the readings."""
    partition = new_partition(setting)
    if is_found:
        rules = Rules(window=setting.window, minimum=setting.needed, every=setting.every)
        partition = PartitionWindows(Names(setting.is_counter), rules, "t")
    return partition


def wrong_clock_records(chance: Random, setting: Setting) -> list[Record]:
    """Records of three series. Now and then readings and record have a clock that is far ahead or behind."""
    now, ahead, found = START * 1.0, 0, list[Record]()
    for _ in range(chance.randint(20, 150)):
        now += setting.step * chance.choice([0, 1, 1, 1, 1, 2])
        if chance.random() < 0.05:
            ahead = setting.step * chance.choice([0, 0, 0, 100, -100])
        readings = [
            (
                chance.choice("abc"),
                now + ahead - chance.choice([0, 0, setting.step]),
                chance.choice([1.0, 2.0, 3.0]),
            )
            for _ in range(chance.randint(1, 3))
        ]
        found.append((now + (ahead if chance.random() < 0.7 else 0), readings))
    return found


def test_a_restart_between_records_of_wrong_clocks_changes_no_window() -> None:
    for seed in range(300):
        chance = Random(seed)
        setting = random_setting(chance, "last", *AGGREGATES)
        is_found = setting.aggregate == "last" and chance.random() < 0.5
        never_stopped, restarted = new(setting, is_found), new(setting, is_found)
        topic: Topic = {}
        for offset, record in enumerate(wrong_clock_records(chance, setting)):
            assert feed(restarted, record, offset) == feed(never_stopped, record, offset), seed
            if chance.random() < 0.1:
                topic |= dict(everything(restarted))
                restarted = restore(new(setting, is_found), topic, offset + 1)


@pytest.mark.parametrize("build_history", [random_records, wrong_clock_records])
@given(seed=st.integers(0, 2**32))
@example(seed=11561)  # a window begins again while a snapshot is written in parts
def test_restore_and_replay_equal_a_partition_that_never_stopped(
    build_history: Callable[[Random, Setting], list[Record]], seed: int
) -> None:
    chance = Random(seed)
    setting = random_setting(chance, "last", "last", *AGGREGATES)
    is_found = setting.aggregate == "last" and chance.random() < 0.7
    partition = new(setting, is_found)
    topic: Topic = {record.key: record.value for record in snapshot.begin(partition)}
    with pytest.MonkeyPatch.context() as patch:
        size = chance.randint(1, 3)
        for module in (snapshot, snapshot_format):
            patch.setattr(module, "BUCKET", size)
        history = build_history(chance, setting)
        parts = None
        found = []  # the windows of each record
        states = []  # before each record, all that the state topic holds
        for offset, record in enumerate(history):
            states.append(dict(topic))
            found.append(feed(partition, record, offset))
            if parts is not None or chance.random() < 0.2:
                parts = parts or snapshot.Parts(partition)
                if chance.random() < 0.1:  # a tick
                    parts.give_up()
                    records, parts = snapshot.write(partition), None
                else:
                    records = parts.next(chance.randint(0, 2))
                    parts = None if parts.is_done else parts
                topic |= {each.key: each.value for each in records}
            elif chance.random() < 0.2:
                records = snapshot.write(partition)
                whole = len(records)
                if chance.random() < 0.3:  # at-least-once: the consumer ends before the head is written
                    whole = chance.randint(0, whole)
                topic |= {each.key: each.value for each in records[:whole]}
                if whole < len(records):
                    states += [dict(topic)] * (len(history) - offset - 1)
                    found += [
                        feed(partition, later, at)
                        for at, later in enumerate(history[offset + 1 :], offset + 1)
                    ]
                    break
        for committed in {chance.randrange(len(history) + 1) for _ in range(4)} | {len(history)}:
            state = states[committed] if committed < len(states) else topic
            restored = restore(new(setting, is_found), state, committed)
            for offset in range(restored.next_offset, committed):
                feed(restored, history[offset], offset)
            for offset in range(committed, len(history)):
                assert feed(restored, history[offset], offset) == found[offset]
            if history:
                assert everything(restored) == everything(partition)


def test_a_snapshot_beyond_the_committed_offset_is_not_used(caplog: pytest.LogCaptureFixture) -> None:
    partition = new_partition(SETTING)
    for offset, record in enumerate(HISTORY):
        feed(partition, record, offset)
    topic = dict(everything(partition))
    assert restore(new_partition(SETTING), topic, 8).next_offset == 8
    restored = restore(new_partition(SETTING), topic, 7)
    assert (restored.next_offset, restored.series) == (7, [])
    assert "t/0: its state continues at offset 8, but reading begins at 7" in caplog.text


def test_windows_of_other_settings_start_again(caplog: pytest.LogCaptureFixture) -> None:
    partition = new_partition(SETTING)
    feed(partition, HISTORY[0], 0)
    other = new_partition(Setting(step=20, window=4, needed=1))
    assert restore(other, dict(everything(partition)), 1).series == []
    assert "t/0: the settings of its windows have changed, so its 1 series start again" in caplog.text


def test_settings_that_do_not_shape_the_state_may_change() -> None:
    partition = new_partition(SETTING)
    feed(partition, HISTORY[0], 0)
    other = new_partition(Setting(step=10, window=4, needed=3, every=2, grace=60))
    assert len(restore(other, dict(everything(partition)), 1).series) == 1


def written() -> Topic:
    partition = new_partition(SETTING)
    for offset, record in enumerate(HISTORY):
        feed(partition, record, offset)
    return dict(everything(partition))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda topic: topic.pop(b"bucket/0"), "bucket 0 is missing"),
        (lambda topic: topic.pop(snapshot.HEAD), "its head is missing"),
        (lambda topic: topic.update({snapshot.HEAD: b""}), "truncated"),
        (lambda topic: topic.update({snapshot.HEAD: topic[snapshot.HEAD][:-3]}), "truncated"),
        (lambda topic: topic.update({b"bucket/0": topic[b"bucket/0"][:-3]}), "truncated"),
        (lambda topic: topic.update({b"bucket/0": msgspec.msgpack.encode([8, []])}), "has too few series"),
        (lambda topic: topic.update({snapshot.HEAD: msgspec.msgpack.encode([2, {}])}), "a newer version"),
        (lambda topic: topic.update({snapshot.HEAD: msgspec.msgpack.encode([0])}), "an unknown version"),
        (lambda topic: topic.update({snapshot.HEAD: msgspec.msgpack.encode([])}), "an unknown version"),
        (lambda topic: topic.update({snapshot.HEAD: msgspec.msgpack.encode("x")}), "array"),
    ],
)
def test_a_state_that_cannot_be_read_says_how_to_rebuild_it(change, reason) -> None:
    topic = written()
    change(topic)
    with pytest.raises(StateError, match=reason) as raised:
        restore(new_partition(SETTING), topic, 8)
    assert "Run `fncast state reset --replay`" in str(raised.value)


@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=3))
def test_damaged_bytes_are_read_or_rejected(place: int, noise: bytes) -> None:
    topic = written()
    key = sorted(topic)[place % len(topic)]
    value = bytearray(topic[key] or b"")
    at = place % len(value)
    value[at : at + len(noise)] = noise
    topic[key] = bytes(value)
    try:
        restored = restore(new_partition(SETTING), topic, 8)
    except StateError:
        return
    assert len(restored.series) <= 1


def test_a_new_state_deletes_what_it_does_not_use() -> None:
    partition = new_partition(Setting(step=20, window=4, needed=1))
    partition.next_offset = 3
    topic = written() | {record.key: record.value for record in snapshot.begin(partition, written())}
    assert topic[b"bucket/0"] is None
    assert restore(new_partition(Setting(step=20, window=4, needed=1)), topic, 9).next_offset == 3


def test_buckets_left_from_a_longer_state_are_ignored() -> None:
    topic = written() | {b"bucket/1": msgspec.msgpack.encode([3, []])}
    assert len(restore(new_partition(SETTING), topic, 8).series) == 1


def test_the_state_of_a_series_is_small() -> None:
    partition = new_partition(Setting(step=10, window=48, needed=1))
    for offset in range(100):
        at = START + 10 * offset
        feed(partition, (at, [("a", at, float(offset))]), offset)
    assert sum(len(value or b"") for _, value in everything(partition)) < 600


def test_a_restart_continues_to_count_records_behind_a_wrong_clock() -> None:
    history = [HISTORY[0], (START + 10**6, [("a", START + 10.0**6, 1.0)]), *[HISTORY[1]] * (MAX_BEHIND - 1)]
    partition = new_partition(SETTING)
    for offset, record in enumerate(history):
        feed(partition, record, offset)
    topic: Topic = dict(everything(partition))
    again = restore(new_partition(SETTING), topic, len(history))
    feed(again, HISTORY[2], len(history))
    assert again.outcomes == {"begun-again": 1}


@pytest.mark.parametrize("aggregate", ["last", "mean"])
def test_a_record_of_the_longest_windows_and_names_is_one_that_a_broker_takes(aggregate: str) -> None:
    setting = Setting(step=10, window=1024, needed=1, aggregate=aggregate)
    partition = new(setting, is_found=False)
    for number in range(snapshot_format.BUCKET + 1):
        name = f"{number:04}" + "\N{MUSICAL SYMBOL G CLEF}" * 1020
        feed(partition, (START, [(name, START, 0.1)]), number)
        partition.series[-1].labels_json = b"x" * 4096
    records = dict(everything(partition))
    assert max(len(value or b"") for value in records.values()) < 1_000_000
    restored = restore(new(setting, is_found=False), records, partition.next_offset)
    assert everything(restored) == list(records.items())
