"""The page in a real browser, without a broker: old readings, silent series, many series, outages."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvicorn

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.kafka.broker_state import BrokerState
from fncast.dashboard.page import Page
from fncast.dashboard.state import PageState
from fncast.dashboard.topics import PageTopics
from interceptor.routes.outcomes import UNAVAILABLE_REASON

pytestmark = [pytest.mark.integration, pytest.mark.browser]

CHROMIUM = "/usr/bin/chromium"
PATIENCE_S = 45.0
WINDOW, HORIZON = 48, 12
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


class Source:
    """A record source that a test fills."""

    def __init__(self) -> None:
        self.state = BrokerState(True, time.time(), address="kafka:9092")
        self.batches: list[list[ReceivedRecord]] = []

    def start(self) -> None: ...
    def close(self) -> None: ...

    def take(self, timeout_s: float = 0.0) -> list[ReceivedRecord]:
        return self.batches.pop(0) if self.batches else []


class Site:
    """The page on a port, and the records that it reads."""

    def __init__(self) -> None:
        self.source = Source()
        self.count = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        page = Page(self.source, PageState(PageTopics(), time.time() - 60))
        self._server = uvicorn.Server(uvicorn.Config(page, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self._thread.start()

    def close(self) -> None:
        self._server.force_exit = self._server.should_exit = True
        self._thread.join(20)

    def series(
        self,
        name: str,
        end: datetime,
        step_s: float = 1.0,
        *,
        written_s: float | None = None,
        factor: float = 1.0,
        events: int = 30,
        destination: str = "forecast",
        **forecast: str,
    ) -> None:
        """Add windows and forecasts of a changing series. Its last reading is at `end`."""
        for event in range(events):
            last = end - timedelta(seconds=step_s * (events - 1 - event))
            first = last - timedelta(seconds=step_s * (WINDOW - 1))
            base = round(first.timestamp() / step_s)
            values = [_value(base + k) for k in range(WINDOW)]
            identity = f"{name}-{event}"
            self.add(
                "metrics", name, identity, first, step_s, values, written_s, {"destination": destination}
            )
            ahead = [factor * _value(base + WINDOW + k) for k in range(HORIZON)]
            more = {"causationid": identity, "causationsource": "/t"} | forecast
            start = last + timedelta(seconds=step_s)
            self.add("forecasts", name, f"f-{identity}", start, step_s, ahead, written_s, more)

    def add(
        self,
        topic: str,
        name: str,
        identity: str,
        start: datetime,
        step_s: float,
        values: list[float],
        written_s: float | None,
        more: dict[str, str],
    ) -> None:
        data: dict[str, Any] = {"start": start.isoformat(), "step_s": step_s, "values": values, "unit": "°C"}
        if topic == "forecasts":
            data["quantiles"] = {"0.1": [v - 2 for v in values], "0.9": [v + 2 for v in values]}
        kind = "io.fncast.forecast.v1" if topic == "forecasts" else "io.fncast.window.v1"
        self.event(topic, kind, name, identity, data, written_s, more)

    def event(
        self,
        topic: str,
        kind: str,
        name: str,
        identity: str,
        data: Any,
        written_s: float | None = None,
        more: dict[str, str] | None = None,
    ) -> None:
        attributes = {"specversion": "1.0", "type": kind, "source": "/t", "id": identity, "subject": name}
        headers: list[tuple[str, bytes | None]] = [
            (f"ce_{key}", text.encode()) for key, text in (attributes | (more or {})).items()
        ]
        headers.append(("content-type", b"application/json"))
        at_s = time.time() if written_s is None else written_s
        self.count += 1
        record = ReceivedRecord(topic, 0, self.count, at_s, orjson.dumps(data), headers, written_s is None)
        self.source.batches.append([record])


def _value(index: int) -> float:
    return 30 + 10 * ((index % 20) - 10) ** 2 / 100


@pytest.fixture
def site() -> Iterator[Site]:
    started = Site()
    yield started
    started.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not Path(CHROMIUM).exists():
        if os.environ.get("FNCAST_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{CHROMIUM} is missing, and FNCAST_REQUIRE_BROWSER=1")
        pytest.skip(f"needs {CHROMIUM} (apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield started
        started.close()


class Tab:
    """The page in a browser."""

    def __init__(self, browser: Any, url: str, **context: Any) -> None:
        options = {"viewport": DESKTOP, "timezone_id": "UTC", "locale": "en-GB", **context}
        self._context = browser.new_context(**options)
        self.tab = self._context.new_page()
        self.complaints: list[str] = []
        self.tab.on("console", lambda message: self._note(message.type, message.text))
        self.tab.on("pageerror", lambda error: self._note("error", str(error)))
        self.tab.goto(url)

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def until(self, condition: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not self.tab.evaluate(condition):
            assert time.monotonic() < end, f"not in time: {condition}; {self.complaints}"
            self.tab.wait_for_timeout(50)

    def text(self, selector: str) -> str:
        return str(self.tab.inner_text(selector))

    def says(self, selector: str, *patterns: str) -> None:
        """Wait until the element's text matches each of these regular expressions."""
        for pattern in patterns:
            self.until(f"new RegExp({pattern!r}).test(document.querySelector({selector!r})?.innerText)")

    def drawn(self) -> None:
        self.until("document.querySelector('.card:not([hidden])')?.card.chart")

    def axis(self) -> list[str]:
        """The labels of the first chart's time axis."""
        labels = self.tab.evaluate("document.querySelector('.card').card.chart.plot.axes[0]._values")
        return [text for text in labels if text]

    def height(self) -> int:
        return int(self.tab.evaluate("document.documentElement.scrollHeight"))

    def close(self) -> None:
        self._context.close()


@pytest.fixture
def visit(site: Site, browser: Any) -> Iterator[Callable[..., Tab]]:
    tabs: list[Tab] = []

    def begin(**context: Any) -> Tab:
        tabs.append(Tab(browser, site.url, **context))
        return tabs[-1]

    yield begin
    for tab in tabs:
        assert tab.complaints == []
        tab.close()


def test_readings_of_2024_have_their_dates(site: Site, visit: Callable[..., Tab]) -> None:
    site.series("orders", datetime(2024, 5, 3, 14, tzinfo=UTC), 3600.0)
    tab = visit()
    tab.drawn()
    tab.says(".card .age", r"^last reading 3 May 2024, 14:00 · \d years? ago$")
    assert any("2024" in label for label in tab.axis())
    assert not tab.tab.evaluate("document.querySelector('.card').card.series.current(Date.now() / 1000)")


def test_dates_do_not_depend_on_the_time_zone(site: Site, visit: Callable[..., Tab]) -> None:
    site.series("sales", datetime(2024, 5, 31, tzinfo=UTC), 86_400.0)
    tab = visit(timezone_id="America/Los_Angeles")
    tab.drawn()
    tab.says(".card .age", "^last reading 31 May 2024 ·")


def test_current_readings_show_their_age(site: Site, visit: Callable[..., Tab]) -> None:
    site.series("cpu", datetime.now(UTC))
    tab = visit()
    tab.drawn()
    tab.says(".card .age", r"^(just now|\d+ s ago)$")
    assert tab.tab.evaluate("document.querySelector('.card').card.series.current(Date.now() / 1000)")


def test_a_silent_series_is_grey_and_does_not_count(site: Site, visit: Callable[..., Tab]) -> None:
    half_an_hour_ago = time.time() - 1800
    site.series(
        "silent", datetime.fromtimestamp(half_an_hour_ago, UTC), written_s=half_an_hour_ago, factor=1.5
    )
    tab = visit()
    tab.drawn()
    tab.says(".card .age", r"^silent for 30 min$")
    assert tab.tab.evaluate("document.querySelector('.card').classList.contains('silent')")
    tab.says("#ratio-note", "^all series are silent$")
    tab.says(".card .readout", "^before the silence: error")
    site.series("heard", datetime.now(UTC))
    tab.says("#ratio-note", "^100 % smaller$")


def test_series_worse_than_the_last_value_are_counted(site: Site, visit: Callable[..., Tab]) -> None:
    for name in ("a", "b"):
        site.series(name, datetime.now(UTC))
    site.series("bad", datetime.now(UTC), factor=3.0)
    tab = visit()
    tab.says("#ratio-note", "1 of 3 series worse than the last value$")
    for name in ("a", "b"):
        site.series(name, datetime.now(UTC) + timedelta(seconds=200), factor=3.0, events=70)
    tab.says("#ratio-note", r"larger \(median\); 3 of 3 series worse than the last value$")
    assert tab.tab.evaluate("document.getElementById('ratio').classList.contains('bad')")


def test_without_events_no_model_or_function_is_named(site: Site, visit: Callable[..., Tab]) -> None:
    tab = visit()
    tab.says("#empty-text", "^Waiting for the first events on metrics.$")
    assert tab.text("#function") == tab.text("#model") == "–"
    assert tab.text("#model-note") == "no forecast names a model yet"
    assert "GraphPipe" not in tab.text("body")
    assert tab.text("#forecasts-note") == "none yet"


def test_a_model_of_old_forecasts_shows_their_age(site: Site, visit: Callable[..., Tab]) -> None:
    long_ago = time.time() - 7200
    site.series(
        "cpu",
        datetime.fromtimestamp(long_ago, UTC),
        written_s=long_ago,
        modelname="forecast",
        modelversion="1",
    )
    tab = visit()
    tab.says("#model", "^forecast v1$")
    tab.says("#model-note", "^in the last forecast, 2 h ago$")


@pytest.mark.parametrize(
    ("reason", "function", "model"),
    [
        (f"{UNAVAILABLE_REASON}: http://model:9000 cannot be reached", "waits for its model", "^out;"),
        ("http://functions:8080 cannot be reached", "out", "in the latest forecasts"),
    ],
)
def test_the_part_that_is_out_is_red(
    site: Site, visit: Callable[..., Tab], reason: str, function: str, model: str
) -> None:
    site.series("cpu", datetime.now(UTC), modelname="forecast", modelversion="1")
    outage = {"over": False, "reason": reason, "since": datetime.now(UTC).isoformat()}
    site.event("outages", "io.fncast.outage.v1", "forecast", "o", outage)
    tab = visit()
    tab.says("#banner", "^Out: forecast since")
    tab.says("#function-note", f"^{function}$")
    tab.says("#model-note", model)
    red = tab.tab.evaluate("[...document.querySelectorAll('.path .out .name')].map((one) => one.id)")
    assert red == (["function"] if function == "out" else ["model"])


def test_a_filter_without_a_match_shows_a_message(site: Site, visit: Callable[..., Tab]) -> None:
    for number in range(12):
        site.series(f"host-{number}", datetime.now(UTC), events=2)
    tab = visit()
    tab.until("document.querySelectorAll('.card').length === 12")
    tab.tab.fill("#filter-text", "nothing like it")
    tab.says("#no-match", "^No series matches “nothing like it”")
    tab.tab.click("#clear-filter")
    tab.until("document.getElementById('no-match').hidden")
    assert tab.tab.locator(".card:visible").count() == 12


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_200_of_1000_series_are_shown_page_by_page(
    site: Site, visit: Callable[..., Tab], viewport: Any
) -> None:
    for number in range(1000):
        site.series(f"host-{number:03}", datetime.now(UTC), events=1)
    tab = visit(viewport=viewport)
    tab.says("#left-out", "^800 more series are not shown: the page shows at most 200.")
    tab.says("#pager-text", "^1–13 of 200 series$")
    assert tab.tab.locator(".card:visible").count() == 13
    assert tab.height() < 4700
    tab.tab.click("#next")
    tab.says("#pager-text", "^14–26 of 200 series$")
    tab.until("document.querySelector('.card:not([hidden])').card.series.name === 'host-013'")
    tab.tab.fill("#filter-text", "HOST-19")
    tab.until("document.getElementById('pager').hidden")
    assert tab.tab.locator(".card:visible").count() == 10


def test_repeated_forecasts_are_counted_separately(site: Site, visit: Callable[..., Tab]) -> None:
    site.series("cpu", datetime.now(UTC), events=3)
    tab = visit()
    tab.says("#forecasts", "^3$")
    tab.says("#forecasts-note", "^3 events read$")
    site.series("cpu", datetime.now(UTC), events=3)  # delivered again
    tab.says("#forecasts-note", "^6 events read; 3 delivered again$")
    assert tab.text("#forecasts") == "3"
