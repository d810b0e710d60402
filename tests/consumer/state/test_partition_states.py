"""PartitionStates: lanes are held until their state is restored, and what happens when they go."""

from __future__ import annotations

import asyncio

from consumer.state.keys import full_key, marker_key
from consumer.state.restoration import Restoration
from tests.consumer.state.restoring import PARTITION, Harness, Recorder
from tests.waiting import eventually_async


async def test_a_lane_is_held_until_snapshot_and_input_are_read():
    interceptor = Recorder(snapshot_at=4)
    harness = Harness(interceptor)
    harness.kafka.state[0] = [
        (marker_key("group", PARTITION), b'{"partitions":1,"since":0}'),
        (full_key("group", PARTITION, "i0", b"a"), b"1"),
        (full_key("group", PARTITION, "other", b"a"), b"9"),
        (full_key("group", PARTITION, "i0", b"a"), b"2"),
    ]
    harness.assign()
    metrics = harness.lanes.of([("metrics", 0)])[0]
    assert (harness.lane.is_held, metrics.is_held) == (True, False)
    assert harness.states.problem == "restoring the state of telegraf/0"
    await harness.until_restored()
    assert not harness.lane.is_held
    assert interceptor.calls[1:] == [("restore", harness.lane.generation, 10, {b"a": b"2"})]
    assert interceptor.replayed == [4, 5, 6, 7, 8, 9]
    assert harness.lane.last_offset == 9
    assert (harness.released, harness.kafka.closed) == (1, 1)


async def test_a_rebalance_cancels_a_restoration_and_the_next_one_starts_from_the_beginning():
    interceptor = Recorder(snapshot_at=4)
    harness = Harness(interceptor)
    harness.kafka.may_read.clear()
    harness.assign()
    first = harness.lane
    await eventually_async(lambda: harness.kafka.reads)
    harness.states.dropped([first])
    harness.lanes.drop([PARTITION])
    assert harness.states.problem == ""
    harness.kafka.may_read.set()
    harness.lanes.assign([PARTITION])
    harness.states.assigned(harness.lanes.of([PARTITION]))
    await harness.until_restored()
    assert harness.lane.generation > first.generation
    assert [call[1] for call in interceptor.calls if call[0] == "restore"] == [harness.lane.generation]
    assert interceptor.replayed == [4, 5, 6, 7, 8, 9]


async def test_a_partition_is_dropped_after_what_was_given_to_the_chain_before():
    interceptor = Recorder()
    harness = Harness(interceptor)
    harness.assign()
    await harness.until_restored()
    interceptor.calls.clear()
    loop = asyncio.get_running_loop()
    loop.call_soon_threadsafe(lambda: interceptor.calls.append(("batch",)))
    harness.states.dropped([harness.lane])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert interceptor.calls == [("batch",), ("drop", *PARTITION)]


async def test_inputs_without_stateful_interceptors_need_no_state():
    harness = Harness()
    harness.assign()
    assert not harness.states.keeps("telegraf")
    assert not harness.lane.is_held
    assert harness.kafka.opened == 0


async def test_the_problem_can_be_read_while_partitions_come_and_go(monkeypatch):
    """/readyz reads it in another thread than the loop's."""
    harness = Harness(Recorder())
    harness.kafka.may_read.clear()
    harness.lanes.assign([("telegraf", number) for number in range(3)])
    first, *others = harness.lanes
    harness.states.assigned(harness.lanes)

    def go_meanwhile(_: Restoration) -> str:
        harness.states.dropped(others)
        return ""

    with monkeypatch.context() as patch:
        patch.setattr(Restoration, "problem", property(go_meanwhile, lambda *_: None))
        assert harness.states.problem.startswith("restoring the state of telegraf/0")
    assert harness.states.problem == "restoring the state of telegraf/0"
    harness.states.dropped([first])
    assert harness.states.problem == ""
