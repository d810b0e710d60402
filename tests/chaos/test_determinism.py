"""The recording of `determinism.py`, what its comparison notices, and a short run."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE))

from determinism import differences, windows_of  # noqa: E402
from recorded_readings import KINDS, MEAN, SINGLE, START_S, Reading, encode, expected, readings  # noqa: E402


def recorded(kind: str, found: list[Reading]) -> list[tuple[int, bytes]]:
    return [(START_S + reading.arrival_s, encode(kind, reading)) for reading in found]


def test_the_recording_has_ten_kinds_of_series_in_the_order_of_arrival():
    found = readings(40, 2, 1, random.Random(0))
    assert len({reading.series for reading in found}) == 2 * len(KINDS) == 20
    assert [reading.arrival_s for reading in found] == sorted(reading.arrival_s for reading in found)
    assert any(reading.arrival_s > reading.time_s + 600 for reading in found if "late" in reading.series)
    assert found == readings(40, 2, 1, random.Random(0))


def test_windows_follow_from_the_records_alone():
    found = [Reading(60 * step, "regular-0", 60 * step, step) for step in range(4)]
    windows = expected(SINGLE, recorded(SINGLE, found))["regular-0"]
    assert windows[0] == ("regular-0@2026-01-01T00:02:00Z", ("2025-12-31T23:51:00Z", [None] * 9 + [0, 1, 2]))
    assert [id_ for id_, _ in windows] == [f"regular-0@2026-01-01T00:0{minute}:00Z" for minute in (2, 3)]
    means = expected(MEAN, recorded(MEAN, [Reading(30 * at, "late-1", 30 * at, at) for at in range(6)]))
    assert means == {
        "late-1": [("late-1@2026-01-01T00:03:00Z", ("2025-12-31T23:51:00Z", [None] * 9 + [0.5, 2.5, 4.5]))]
    }


def test_each_difference_is_noticed():
    value = b'{"seen": {"start": "s", "values": [1, null]}}'
    right = {"a": [([("ce_causationid", b"1")], value)]}
    assert windows_of(right) == {"a": [("1", ("s", [1, None]))]}
    assert differences(right, dict(right)) == []
    assert differences(right, {}) == ["a"]
    assert differences(right, right | {"b": []}) == ["b"]
    assert differences(right, {"a": [([("ce_causationid", b"2")], value)]}) == ["a"]
    assert differences(right, {"a": right["a"] * 2}) == ["a"]


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.guarantee(
    "one recorded topic gives the same bytes at any speed, batching, number of consumers and kills"
)
def test_a_short_run_in_all_ways_gives_the_same_bytes(kafka):
    flags = ["--steps", "30", "--copies", "1", "--kills", "3", "--bootstrap-servers", kafka.bootstrap_servers]
    done = subprocess.run(
        [sys.executable, HERE / "determinism.py", *flags], capture_output=True, text=True, timeout=580
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert json.loads(done.stdout)["kills"]["kills"] == 3
