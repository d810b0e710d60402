"""The monitor: windows and forecasts with hostile times, steps and values, in batches."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

from fuzz_report import Report, Until

from fncast.monitor.alerts.alert import AlertRule
from fncast.monitor.anomalies.detector import DetectorSettings
from fncast.monitor.judge import Judge
from fncast.monitor.rules import MonitorRules
from interceptor.chain import Chain
from interceptor.delivery import Batch, Delivery, Record
from interceptor.outcome import Headers

_RULES = MonitorRules(
    DetectorSettings(min_history=5), (AlertRule("hot", above=5.0),), silent_steps=3, worse_than_last_for=3
)
_TOPICS = ("metrics", "forecasts")
_STARTS = (
    "2026-01-01T00:00:00Z", "2026-01-31T00:00:00+05:30", "2024-02-29T00:00:00Z", "2026-01-01T00:00:00.000001Z",
    "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-12-31T23:59:59+23:59", "0500-01-01T00:00:00Z",
    "9000-01-01T00:00:00Z", "9999-01-01T00:00:00-12:00", "9999-12-01T00:00:00Z", "9999-12-31T23:59:59Z",
)  # fmt: skip
_SECONDS = (1, 60, 3600, 86400, 0.1, 1e-3, 1e-6, 1e-9, 1e-300, 5e-324, 1e9, 3e11)
_PERIODS = ("PT5M", "P1M", "P3M", "P1Y", "P100Y", "P9000Y", "P9998Y")
_VALUES = (0.0, 1.0, -1.0, 7.5, 1e18, -1e18, 1e300, -1e308, 1.7e308, 5e-324, None)
_LEVELS = (("0.1", "0.5", "0.9"), ("0.5",), ("0.001", "0.999"), ("0.5", "0.50"), ("1e-320", "0.5"))
_TIMESTAMPS = (0, 1, -1, 1_767_225_600_000, 2**62)
_BATCHES, _RECORDS = 12, 8  # of one monitor; of one batch
_SLOW_S = 2.0


def run(randomly: random.Random, until: Until) -> Report:
    """Check that the monitor processes each batch and writes its state. A series lives for _BATCHES batches."""
    report = Report()
    while not until(report.count):
        judge = Judge(_RULES, _TOPICS, lambda: 0.0)
        chain, offset = Chain([judge]), 0
        for _ in range(_BATCHES):
            records = [_record(randomly, offset + place) for place in range(_RECORDS)]
            offset += _RECORDS
            started = time.process_time()
            try:
                asyncio.run(chain.on_consume(Batch([Delivery(record) for record in records])))
            except Exception as error:
                report.crashed(error, b"\n".join(record.value or b"" for record in records))
                break
            if time.process_time() - started > _SLOW_S:
                report.fail(
                    f"took more than {_SLOW_S:g} s of CPU",
                    b"\n".join(record.value or b"" for record in records),
                )
            else:
                report.passed("batch")
    return report


def _record(randomly: random.Random, offset: int) -> Record:
    is_usual = randomly.random() < 0.4
    grid: dict[str, Any] = {"step_s": 3600}
    if not is_usual:
        grid = (
            {"step_s": randomly.choice(_SECONDS)}
            if randomly.random() < 0.6
            else {"step": randomly.choice(_PERIODS)}
        )
    hour = f"2026-01-01T{randomly.randrange(24):02}:00:00Z"
    grid["start"] = hour if is_usual or randomly.random() < 0.3 else randomly.choice(_STARTS)
    if randomly.random() < 0.2:
        grid["step_day"] = randomly.choice((1, 30, 31, 0, None, True, "1"))
    if randomly.random() < 0.5:
        kind = "window"
        data: dict[str, Any] = {"values": randomly.choices(_VALUES, k=randomly.randrange(5))}
    else:
        length = randomly.choice((0, 1, 3, 30, 600))
        kind = "forecast"
        data = {
            "quantiles": {name: randomly.choices(_VALUES[:-1], k=length) for name in randomly.choice(_LEVELS)}
        }
    attributes = {"specversion": "1.0", "id": str(offset), "source": "/t", "type": f"io.fncast.{kind}.v1"}
    attributes |= {
        "subject": randomly.choice("abc"),
        "modelname": "m",
        "modelversion": str(randomly.randrange(12)),
    }
    headers: Headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
    headers.append(("content-type", b"application/json"))
    value = json.dumps(grid | data).encode()
    return Record(randomly.choice(_TOPICS), 0, offset, randomly.choice(_TIMESTAMPS), None, value, headers)
