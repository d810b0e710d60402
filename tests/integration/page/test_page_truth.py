"""The page in a real browser, without a broker: old readings, silent series, many series, outages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from browser_tab import PHONE, BrowserTab
from page_site import Site

from interceptor.routes.outcomes import UNAVAILABLE_REASON

pytestmark = [pytest.mark.integration, pytest.mark.browser]

DESKTOP = {"width": 1280, "height": 800}


@pytest.fixture
def site() -> Iterator[Site]:
    started = Site()
    yield started
    started.close()


class Tab(BrowserTab):
    """The page, and what a person reads on it."""

    def __init__(self, browser: Any, url: str, **context: Any) -> None:
        super().__init__(
            browser, url, **{"viewport": DESKTOP, "timezone_id": "UTC", "locale": "en-GB", **context}
        )

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
    assert not tab.tab.evaluate("document.querySelector('.card').card.series.isCurrent(Date.now() / 1000)")


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
    assert tab.tab.evaluate("document.querySelector('.card').card.series.isCurrent(Date.now() / 1000)")


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
    tab.says("#banner", "^A route is out: forecast since")
    tab.says("#function-note", f"^{function}$")
    tab.says("#model-note", model)
    red = tab.tab.evaluate("[...document.querySelectorAll('.path .out .name')].map((one) => one.id)")
    assert red == (["function"] if function == "out" else ["model"])


def test_times_that_no_clock_shows_do_not_stop_the_page(site: Site, visit: Callable[..., Tab]) -> None:
    site.event("outages", "io.fncast.outage.v1", "forecast", "o", {"over": False, "reason": "no answer"})
    site.event("dead-letters", "io.fncast.window.v1", "cpu", "d", {}, written_s=(2**63 - 1) / 1000)
    tab = visit()
    tab.says("#banner", r"^A route is out: forecast since – \(no answer")
    tab.says("#dead-letters", "^1$")


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
