"""Partitions for the tests of assembling, and random records for them."""

from __future__ import annotations

import math
from random import Random
from typing import Any

from fncast.series.step import Step
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.window import Window
from interceptor.readings.contract import Decoded, MetricKind, Series
from tests.interceptor.assembly.reference import NS, Found, Setting

# The timestamp, and readings of (series, time, value). Times are in seconds.
Record = tuple[float, list[tuple[str, float, float]]]
START = 1_000_000  # seconds since 1970
NEW_YEAR_S = 1_767_225_600  # 2026-01-01T00:00:00Z


class Names:
    """A format whose keys are names of series. Names that begin with "#" are counters."""

    def __init__(self, is_counter: bool = False) -> None:
        self._kind = MetricKind.CUMULATIVE if is_counter else MetricKind.GAUGE

    def decode(self, *_: Any) -> Decoded:
        raise NotImplementedError

    def series(self, key: str) -> Series:
        return Series(key, {"name": key}, "B", self._kind)


def rules_of(setting: Setting) -> Rules:
    return Rules(
        window=setting.window,
        minimum=setting.needed,
        step=Step.seconds(setting.step),
        aggregate=setting.aggregate,
        grace_ns=setting.grace * NS,
        every=setting.every,
    )


def new_partition(setting: Setting) -> PartitionWindows:
    return PartitionWindows(Names(setting.is_counter), rules_of(setting), "t")


def decoded(readings: list[tuple[str, float, float]]) -> Decoded:
    keys, times, values = zip(*readings, strict=True) if readings else ((), (), ())
    return Decoded(list(keys), [round(time * NS) for time in times], list(values), {})


def plain(windows: list[Window]) -> list[Found]:
    return [
        (
            window.series,
            window.start_ns / NS,
            window.end_ns / NS,
            [None if math.isnan(value) else value for value in window.values],
        )
        for window in windows
    ]


def random_setting(chance: Random, *aggregates: str) -> Setting:
    window = chance.randint(2, 6)
    return Setting(
        step=chance.choice([8, 60]),
        window=window,
        needed=chance.randint(1, window),
        every=chance.randint(1, 3),
        grace=chance.choice([0, 10, 100]),
        aggregate=chance.choice(aggregates),
        is_counter=chance.random() < 0.3,
    )


def random_records(chance: Random, setting: Setting, jitter: float = 0.4, most: int = 40) -> list[Record]:
    """Records of readings of three series: in order, late, out of order, repeated, after gaps, from wrong clocks."""
    step, span = setting.step, setting.window * setting.step
    now = START * 1.0
    found, before = [], []
    for _ in range(chance.randint(1, most)):
        now += chance.choice([0, step / 4, step, step, step, 2 * step, span, 3 * span])
        readings = []
        for _ in range(chance.randint(1, 4)):
            if before and chance.random() < 0.2:
                reading = chance.choice(before)  # a repeat
                if chance.random() < 0.5:
                    reading = (reading[0], reading[1], reading[2] + 1)
            else:
                behind = chance.choice([0, 0, 0, 0, step, 2 * step, span, 2 * span])
                ahead = chance.choice([0, 0, 0, 0, 0, step, 2 * span, 10**6 * step])
                shift = chance.randint(-int(jitter * step * 8), int(jitter * step * 8)) / 8
                value = chance.choice([0.0, 1.0, 2.5, 7.0, 100.0, -3.0, 1e17, 2e18])
                reading = (chance.choice("abc"), now - behind + ahead + shift, value)
            readings.append(reading)
        before += readings
        found.append((now + chance.randint(0, 3), readings))
    return found
