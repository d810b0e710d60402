"""The page shows the dates of the readings in any time zone of the browser: month ends of a CSV file."""

from __future__ import annotations

import calendar
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from consumer.kafka.embedded import EmbeddedBroker
from tests.running_command import RunningCommand
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.browser]

PATIENCE_S = 60
SERIES = "[...document.querySelectorAll('.card')].map((each) => each.card)[0]"


def month_end(number: int) -> date:
    """The last day of the `number`-th month after September 2022."""
    year, month = divmod(2022 * 12 + 8 + number, 12)
    return date(year, month + 1, calendar.monthrange(year, month + 1)[1])


def publish_forecast(address: str, topic: str) -> None:
    """Publish a forecast of the three months after the 60 of the file."""
    data = {"start": f"{month_end(60)}T00:00:00Z", "step": "P1M", "values": [101, 102, 103]}
    attributes = {
        "specversion": "1.0",
        "type": "io.fncast.forecast.v1",
        "source": "/t",
        "id": "1",
        "subject": "sales",
    }
    headers = [
        ("content-type", b"application/json"),
        *((f"ce_{name}", text.encode()) for name, text in attributes.items()),
    ]
    producer = Producer({"bootstrap.servers": address})
    producer.produce(topic, json.dumps(data), headers=headers)
    assert producer.flush(PATIENCE_S) == 0


@pytest.fixture
def dashboard(embedded: EmbeddedBroker, tmp_path: Path) -> Iterator[str]:
    """The address of a dashboard over 60 month ends, as `fncast produce` sends them, and a forecast of three more."""
    lines = [f"{month_end(number)},{100 + number % 12}" for number in range(60)]
    (tmp_path / "sales.csv").write_text("\n".join(["date,value", *lines]))
    servers = ["--bootstrap-servers", embedded.bootstrap_servers]
    topics = {"FNCAST_KAFKA__INPUT_TOPICS": "page-dates", "FNCAST_KAFKA__OUTPUT_TOPIC": "page-dates-out"}
    environment = os.environ | topics
    command = [
        sys.executable,
        "-m",
        "fncast",
        "produce",
        str(tmp_path / "sales.csv"),
        "--topic",
        "page-dates",
    ]
    subprocess.run([*command, *servers], env=environment, check=True, timeout=PATIENCE_S)
    publish_forecast(embedded.bootstrap_servers, "page-dates-out")
    with closing(RunningCommand("dashboard", "--port", 0, *servers, environment=environment)) as running:
        yield running.url


@pytest.mark.parametrize("timezone", ["America/Los_Angeles", "Pacific/Auckland"])
def test_month_ends_are_month_ends_in_every_time_zone(browser: Any, dashboard: str, timezone: str) -> None:
    tab = browser.new_context(timezone_id=timezone, locale="en-US").new_page()
    tab.goto(dashboard)
    drawn = f"{SERIES}?.chart !== undefined && {SERIES}.series.times.length === 63"
    eventually(lambda: tab.evaluate(drawn), PATIENCE_S, "60 readings and 3 forecasts on the page")
    point = f"{SERIES}.showPoint(at), {SERIES}.readout.querySelector('b').textContent"
    shown = tab.evaluate(f"Array.from({{ length: 63 }}, (_, at) => ({point}))")
    assert shown == [f"{month_end(n):%b} {month_end(n).day}, {month_end(n).year}" for n in range(63)]
    labels, ticks = tab.evaluate(
        f"[{SERIES}.chart.plot.axes[0]._values, {SERIES}.chart.plot.axes[0]._splits]"
    )
    assert any(labels)
    for label, tick_s in zip(labels, ticks, strict=True):
        assert tick_s % 86_400 == 0
        assert label in ("", f"{datetime.fromtimestamp(tick_s, UTC).year}")
    tab.context.close()
