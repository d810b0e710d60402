"""The demo's monitor finds the first incident of the shop, with the forecasts of the base model."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from consumer.settings import load
from fncast import models as base_models
from fncast.cli.detection.local_model import open_model
from fncast.demo.models import DEFAULT_WINDOW
from fncast.demo.settings_text import settings_text
from fncast.monitor.messages import ForecastMessage, NewestReading
from fncast.monitor.partition import MonitorPartition
from fncast.monitor.settings import monitor_rules
from fncast.produce.shop import ShopFeed
from fncast.produce.shop_servers import FULL_HOURS, LEAK_HOURS, SLOW_MEMORY, ServerIncidents
from fncast.series.window_batch import prepare_rows

INCIDENTS = ServerIncidents()
HOURS = INCIDENTS.first + LEAK_HOURS + FULL_HOURS + 60
SIZE, HORIZON = 64, 24


def incidents_found(folder: Path) -> dict[str, list[tuple[str, str, int]]]:
    """By series what the monitor publishes on `alerts`: kind or rule, state, and the hour."""
    file = folder / "fncast.toml"
    file.write_text(settings_text("127.0.0.1:1", "http://127.0.0.1:1", 1, has_shop=True))
    partition = MonitorPartition(monitor_rules(load(file, environ={})))
    shop = ShopFeed(datetime(2026, 1, 1, tzinfo=UTC), incidents=INCIDENTS)
    hours = [shop.read(hour) for hour in range(HOURS)]
    model = open_model(base_models.FOLDER, base_models.BASE)
    model.window, model.horizon = SIZE, HORIZON  # the size that the function chooses for such windows
    found: dict[str, list[tuple[str, str, int]]] = {}
    for readings in zip(*hours, strict=True):
        name = readings[0].series
        windows = sliding_window_view(np.array([reading.value for reading in readings]), DEFAULT_WINDOW)
        lengths = np.full(len(windows), DEFAULT_WINDOW)
        prepared = prepare_rows(windows.copy(), lengths, SIZE, is_sparse=True).values
        forecasts = model.quantile_forecasts(prepared)
        for forecast, reading in zip(forecasts, readings[DEFAULT_WINDOW - 1 :], strict=True):
            events = partition.add_reading(
                NewestReading(name, reading.time, reading.step, reading.value), 200 * reading.index
            )
            start = reading.step.after(reading.time, 1)
            events += partition.add_forecast(
                ForecastMessage(name, start, reading.step, model.quantiles, forecast.T.tolist(), "base/1")
            )
            for event in events:
                data: dict[str, Any] = json.loads(event.value or b"")
                if event.topic == "alerts":
                    what = data.get("rule") or data["kind"]
                    found.setdefault(name, []).append((what, data["state"], reading.index))
    memory = [reading.value for _, reading, _ in hours]
    found["full"] = [("", "", next(hour for hour, value in enumerate(memory) if value > SLOW_MEMORY))]
    return found


def test_the_alert_comes_before_memory_is_full_and_closes_after_the_restart(tmp_path: Path) -> None:
    found = incidents_found(tmp_path)
    ((_, _, full),) = found["full"]
    (_, opened, at), (_, closed, end) = [each for each in found["shop-memory"] if each[0] == "memory-full"]
    assert (opened, closed) == ("open", "closed")
    assert full - 18 <= at <= full - 4
    restart = INCIDENTS.first + LEAK_HOURS + FULL_HOURS
    assert restart < end <= restart + 4
    slow = found["shop-response"]
    assert [(kind, state) for kind, state, _ in slow] == [("outlier", "open"), ("outlier", "closed")]
    assert full <= slow[0][2] <= full + 3
    assert "shop-orders" not in found
