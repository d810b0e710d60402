"""The memory of a series is bounded."""

from __future__ import annotations

import gc
import tracemalloc

from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.readings.telegraf import TelegrafJson

SERIES, WINDOW, T = 300, 48, 1_767_225_600


def test_a_series_takes_less_than_1_kb_beside_its_name() -> None:
    format_ = TelegrafJson()
    record = (
        '{"name":"cpu","tags":{"host":"web-%d","cpu":"cpu-total"},"fields":{"usage_idle":1.5},"timestamp":%d}'
    )
    history = [
        format_.decode((record % (series, T + 10 * step)).encode(), None, [], 0)
        for step in range(WINDOW + 1)
        for series in range(SERIES)
    ]
    windows = PartitionWindows(format_, Rules(window=WINDOW), "telegraf")
    gc.collect()
    tracemalloc.start()
    for offset, decoded in enumerate(history):
        windows.add(decoded, 0, offset)
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(windows.series) == SERIES
    assert used / SERIES < 1024 + 100  # 100: the name
