"""Windows equal those of a plain reference that computes each of them from all readings."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.interceptor.assembly.partitions import (
    NS,
    decoded,
    new_partition,
    plain,
    random_records,
    random_setting,
)
from tests.interceptor.assembly.reference import AGGREGATES, Partition


@given(st.integers(0, 2**32))
def test_aggregated_windows_equal_the_reference(seed: int) -> None:
    chance = Random(seed)
    setting = random_setting(chance, *AGGREGATES)
    partition, reference = new_partition(setting), Partition(setting)
    for offset, (timestamp, readings) in enumerate(random_records(chance, setting)):
        found = partition.add(decoded(readings), round(timestamp * 1000), offset)
        assert plain(found) == reference.add(timestamp, readings)
        assert partition.event_ns == reference.event * NS


@given(st.integers(0, 2**32))
def test_windows_of_single_readings_equal_the_reference(seed: int) -> None:
    chance = Random(seed)
    setting = random_setting(chance, "last")
    partition, reference = new_partition(setting), Partition(setting)
    for offset, (timestamp, readings) in enumerate(random_records(chance, setting)):
        found = partition.add(decoded(readings), round(timestamp * 1000), offset)
        assert plain(found) == reference.add(timestamp, readings)
