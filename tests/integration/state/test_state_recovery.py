"""Windows in exactly-once delivery after kills and rebalances, and with a snapshot that is missing or cannot be read.

Each test compares the forecasts with windows that are computed from the input topic alone.
"""

from __future__ import annotations

import random
import signal

import msgspec
import pytest
from assembled import (
    OWNER,
    check,
    expected,
    found,
    produce,
    run_once,
    wait_for,
    wait_for_all,
    windows_of,
    write_state,
)
from consumer_process import ROOT
from group_offsets import committed
from testbed import DeliveryTestbed

from consumer.state.keys import full_key
from interceptor.assembly.snapshot import HEAD
from interceptor.assembly.snapshot_format import BUCKET_KEY

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(240)]

FAULTY = ROOT / "tests" / "chaos" / "faulty_consumer.py"


@pytest.mark.guarantee("a kill at any moment loses no state and repeats no result")
def test_kills_while_snapshots_are_written_lose_no_state_and_repeat_no_result(
    windows: DeliveryTestbed,
) -> None:
    """Kills at a random moment, and between two parts of one snapshot. Snapshots follow each other without a pause."""
    dice, keys = random.Random(18), 320
    programs = [["--crash", "during-snapshot:1"], ["--crash", "during-snapshot:5"], [], []]
    for turn, words in enumerate(programs):
        produce(windows, 1000, first=1 + 1000 * turn, keys=keys)
        seen = len(found(windows)) if turn else 0
        consumer = windows.consume(program=[str(FAULTY), "--snapshot-s", "0", *words], FN__BATCH_EVENTS="50")
        if words:
            assert consumer.wait(60) == -signal.SIGKILL
        else:
            windows.wait_for(windows.forecasts, seen + dice.randrange(1, 500))
            consumer.kill()
    consumer = windows.consume()
    wait_for_all(windows)
    assert consumer.terminate() == 0
    assert "restored the state of" in consumer.log()
    check(windows)


def test_a_rebalance_while_state_is_restored_loses_no_state_and_repeats_no_result(
    windows: DeliveryTestbed,
) -> None:
    run_once(windows, 2000)
    produce(windows, 1000, first=2001)
    killed = windows.consume("killed", program=[str(FAULTY), "--crash", "during-restore:2"])
    killed.wait_for("assigned")
    consumers = [windows.consume(f"c{number}") for number in range(2)]
    assert killed.wait(60) == -signal.SIGKILL
    consumers.append(windows.consume("late"))
    produce(windows, 1000, first=3001)
    wait_for_all(windows)
    assert [consumer.terminate() for consumer in consumers] == [0, 0, 0]
    check(windows)


@pytest.mark.guarantee("state whose topic was deleted starts again, with a log line")
def test_windows_begin_empty_where_the_snapshot_is_missing(windows: DeliveryTestbed) -> None:
    run_once(windows, 400)
    before = expected(windows)
    ends = {each.partition: each.offset for each in committed(windows)}
    windows.delete_topic(windows.state)
    produce(windows, 200, first=401)
    consumer = windows.consume()
    consumer.wait_for("has no state yet")
    records = windows.read_all(windows.metrics)
    new = windows_of(record for record in records if record.offset() >= ends[record.partition()])
    wanted = before | {window.id_: window.values for window in new}
    wait_for(windows, wanted)
    assert consumer.terminate() == 0
    check(windows, wanted)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (
            HEAD,
            msgspec.msgpack.encode([99, 1, 0, 1, ""]),
            "it was written by a newer version of fncast (format 99",
        ),
        (BUCKET_KEY % 0, b"\x92\x05", "truncated"),
        (HEAD, None, "its head is missing"),
        (BUCKET_KEY % 0, None, "bucket 0 is missing"),
    ],
)
@pytest.mark.guarantee("state that cannot be read stops the consumer with how to rebuild it")
def test_a_snapshot_that_cannot_be_read_stops_the_consumer(
    windows: DeliveryTestbed, name: bytes, value: bytes | None, reason: str
) -> None:
    run_once(windows, 100)
    assert committed(windows)[0].offset > 0  # the partition has state
    write_state(windows, 0, full_key(windows.group, (windows.metrics, 0), OWNER, name), value)
    consumer = windows.consume()
    assert consumer.wait(30) == 1
    assert f"the state of {windows.metrics}/0 cannot be read: " in consumer.log()
    assert reason in consumer.log()
    assert "fncast state reset --replay" in consumer.log()
