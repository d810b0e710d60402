"""The live page in a real browser, with a broker that the tests can pause and a feed of changing series."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from browser_tab import PHONE
from dashboard_testbed import HOSTILE_NAME, LONG_NAME, DashboardTestbed
from page_feed import HORIZON, REASON
from page_visit import COLOUR, DRAWN, Visit, card

from fncast.dashboard.events.names import shown_name

pytestmark = [pytest.mark.integration, pytest.mark.browser]


@pytest.fixture(scope="module")
def testbed() -> Iterator[DashboardTestbed]:
    started = DashboardTestbed()
    yield started
    started.close()


@pytest.fixture
def visit(testbed: DashboardTestbed, browser: Any) -> Iterator[Any]:
    visits: list[Visit] = []

    def begin(**context: Any) -> Visit:
        visits.append(Visit(browser, testbed.dashboard.url, **context))
        return visits[-1]

    yield begin
    for opened in visits:
        opened.close()


def test_the_chart_shows_readings_and_forecast_and_moves(visit: Any) -> None:
    page = visit()
    assert page.tab.evaluate(DRAWN, "actual") > 50
    assert page.tab.evaluate(DRAWN, "forecast") > 20
    cpu = card("cpu")
    page.until(f"{cpu}.chart")
    columns = page.value(f"{cpu}.series.columns()")
    times, actual, earlier, low, high, median = columns
    assert len(times) == len(actual) == len(median)
    now = max(index for index, value in enumerate(actual) if value is not None)
    assert median[now] == actual[now]  # the forecast opens from the last reading
    assert all(low[k] < median[k] < high[k] for k in range(now + 1, now + 1 + HORIZON))
    assert sum(value is not None for value in earlier) > 30
    page.until(f"{cpu}.series.times.at(-1) > {times[-1]} + 2")
    assert page.value(f"{cpu}.chart.plot.data[0].at(-1)") > times[-1]


def test_the_figures_match_the_feed(visit: Any) -> None:
    page = visit()
    text = page.tab.inner_text
    assert text("#model") == "forecast v7"
    assert text("#function") == "forecast"
    page.until("parseFloat(document.getElementById('events-rate').textContent) > 5")
    page.until("/^[0-9.]+\\s*ms$/.test(document.getElementById('delay').innerText)")
    page.until("parseFloat(document.getElementById('ratio').textContent) < 1")
    page.until(f"/error 0[.][0-9]+ × the last value's/.test({card('cpu')}.readout.textContent)")


def test_there_are_no_errors_and_no_requests_to_other_hosts(visit: Any, testbed: DashboardTestbed) -> None:
    page = visit()
    page.until(f"{card(HOSTILE_NAME)}.chart")
    assert page.value(f"{card(HOSTILE_NAME)}.button.textContent") == HOSTILE_NAME
    assert page.value("document.querySelectorAll('img').length") == 0
    assert [url for url in page.requests if not url.startswith((testbed.dashboard.url, "data:"))] == []
    assert page.complaints == []


def test_large_counters_show_their_last_digits(visit: Any) -> None:
    page = visit()
    page.until(f"/^1,000,000,000,0[0-9][0-9]/.test({card('counter')}.value.textContent)")


def test_dead_letters_can_be_opened_by_keyboard(visit: Any) -> None:
    page = visit()
    page.until("!document.getElementById('dead-letters-button').disabled")
    page.tab.focus("#dead-letters-button")
    page.tab.keyboard.press("Enter")
    assert REASON in page.tab.inner_text("#reasons")
    assert "bad-1" in page.tab.inner_text("#latest")
    assert page.tab.get_attribute("#dead-letters-button", "aria-expanded") == "true"


def test_the_point_under_the_pointer_is_shown(visit: Any) -> None:
    page = visit()
    page.tab.hover(".card .u-over")
    page.until("/[0-9]{2}:[0-9]{2}:[0-9]{2} · /.test(document.querySelector('.card .readout').textContent)")


def test_charts_have_a_description_for_screen_readers(visit: Any) -> None:
    label = visit().tab.get_attribute(".card .chart", "aria-label")
    assert "latest reading" in label
    assert "forecast to reach" in label


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_in_light_and_dark(visit: Any, scheme: str) -> None:
    page = visit(viewport=PHONE, color_scheme=scheme, device_scale_factor=2)
    page.until(f"{card(shown_name(LONG_NAME))}")
    assert page.value("document.documentElement.scrollWidth") == PHONE["width"]
    widest = page.value(
        "Math.max(...[...document.querySelectorAll('body *')].map((one) => one.getBoundingClientRect().right))"
    )
    assert widest <= PHONE["width"]
    lightness = page.value(
        "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).slice(0, 3).map(Number)"
    )
    assert (max(lightness) < 60) == (scheme == "dark")
    assert page.tab.evaluate(DRAWN, "actual") > 50  # the chart's colours are the scheme's


def test_charts_follow_the_colour_scheme(visit: Any) -> None:
    page = visit(color_scheme="light")
    page.tab.emulate_media(color_scheme="dark")
    page.until(f"({DRAWN})('actual') > 50")


def test_reduced_motion_disables_animations(visit: Any) -> None:
    page = visit(reduced_motion="reduce")
    page.until("document.getElementById('path').classList.contains('flows')")
    style = "getComputedStyle(document.querySelector('.path li'), '::before').animationName"
    assert page.value(style) == "none"


@pytest.mark.guarantee("the page shows which function is out")
def test_an_outage_of_a_function_is_shown(visit: Any, testbed: DashboardTestbed) -> None:
    page = visit()
    since = datetime.now(UTC).isoformat()
    testbed.feed.outage({"since": since, "reason": "http://functions cannot be reached", "over": False})
    page.until(
        "/^A route is out: forecast since .*cannot be reached/.test(document.getElementById('banner').innerText)"
    )
    assert page.value("getComputedStyle(document.getElementById('function')).color") == page.tab.evaluate(
        COLOUR, "bad"
    )
    testbed.feed.outage({"since": since, "over": True})
    page.until("document.getElementById('banner').hidden")
    assert page.complaints == []


def test_an_anomaly_and_an_alert_come_and_go(visit: Any, testbed: DashboardTestbed) -> None:
    page, feed = visit(), testbed.feed
    text = page.tab.inner_text
    assert "fncast monitor" in text("#monitor-empty")
    page.until(f"{card(HOSTILE_NAME)}.chart")  # the first card
    start, peak, end = page.value(f"{card(HOSTILE_NAME)}.series.times.slice(-30, -27)")
    anomaly = {"kind": "outlier", "value": 61.0, "expected": 55.0, "low": 54.0, "high": 56.0, "score": 0.9}
    anomaly |= {"time": rfc3339(peak), "start": rfc3339(start), "end": rfc3339(end), "readings": 3}
    feed.monitored("alerts", "anomaly", HOSTILE_NAME, {"state": "open", **anomaly}, destination="page-me")
    page.until(
        "/61 °C instead of 55 °C [(]54 °C to 56 °C[)]/.test(document.getElementById('incidents').innerText)"
    )
    assert HOSTILE_NAME in text("#incidents")
    page.until(f"({DRAWN})('bad') > 20")

    alert = {"rule": "<b>hot", "threshold": 70.0, "direction": "above", "probability": 0.724}
    alert |= {"expected_at": rfc3339(end + 60), "state": "open"}
    model = {"modelname": "forecast", "modelversion": "7"}
    feed.monitored("alerts", "alert", "cpu", alert, destination="page-me", time=rfc3339(end), **model)
    page.until("document.querySelectorAll('#incidents .open').length === 2")
    assert "above 70 °C is expected at" in text("#incidents")
    assert "probability 72 %" in text("#incidents")
    assert "rule <b>hot" in text("#incidents")
    assert "model forecast v7 · destination page-me" in text("#incidents")
    assert text("#incidents-note") == "2 open."
    page.until(f"{card('cpu')}.chart?.range?.[1] > 70")  # the threshold is in the chart

    feed.monitored("alerts", "anomaly", HOSTILE_NAME, {"state": "closed", **anomaly})
    feed.monitored("alerts", "alert", "cpu", alert | {"state": "closed", "probability": 0.01})
    page.until("document.getElementById('incidents-note').textContent === 'None open, 2 ended.'")
    assert page.value("document.querySelectorAll('#incidents .closed').length") == 2
    page.tab.click("#incidents .closed button")
    page.until(f"{card('cpu')}.isWide")
    assert page.value("document.querySelectorAll('img, #monitor b').length") == 0
    assert page.complaints == []


def test_the_accuracy_of_each_series_is_shown_worst_first(visit: Any, testbed: DashboardTestbed) -> None:
    page = visit()
    model = {"modelname": "forecast", "modelversion": "7"}
    for name, skill in (("cpu", 0.3), ("counter", -0.2)):
        day = {"mae": 1.5, "skill": skill, "coverage": 0.79}
        testbed.feed.monitored("accuracy", "accuracy", name, {"readings": 1200, "day": day}, **model)
    page.until("document.querySelectorAll('#accuracy tr').length === 2")
    worst, better = page.tab.locator("#accuracy tr").all_inner_texts()
    assert worst.split("\t") == ["counter", "forecast v7", "1.5 °C", "-20 %", "79 %", "1,200"]
    assert "+30 %" in better
    assert page.complaints == []


def rfc3339(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat()


def test_an_outage_of_the_broker_is_shown_and_survived(visit: Any, testbed: DashboardTestbed) -> None:
    page = visit()
    testbed.broker.pause()
    try:
        page.until("/broker 127.* has not answered since/.test(document.getElementById('banner').innerText)")
        assert page.tab.inner_text("#link-text") == "not live"
        shown = page.value(f"{card('cpu')}.series.times.at(-1)")
    finally:
        testbed.broker.resume()
    page.until("document.getElementById('banner').hidden")
    page.until(f"{card('cpu')}.series.times.at(-1) > {shown}")
    assert page.complaints == []


def test_an_outage_of_the_page_server_is_shown_and_survived(visit: Any, testbed: DashboardTestbed) -> None:
    page = visit()
    began_s = time.monotonic()
    assert testbed.dashboard.end() == 0
    assert time.monotonic() - began_s < 5  # an open page does not delay the shutdown
    page.until("/server of this page has not answered/.test(document.getElementById('banner').innerText)")
    testbed.dashboard.restart()
    page.until("document.getElementById('banner').hidden")
    page.until("document.getElementById('link-text').textContent === 'live'")
