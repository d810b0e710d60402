"""`route`: the destination of an event is a name in the allow-list."""

import pytest

from interceptor.builtin.router import Router
from interceptor.chain import Chain
from interceptor.routes.route import Route
from tests.interceptor.deliveries import new_batch


@pytest.mark.parametrize("extensions", [{}, {"destination": ""}])
async def test_an_event_without_a_destination_gets_that_of_its_topic(extensions):
    forecast = Route("forecast", "fn:fncast/forecast", batch=True)
    other = Route("other", "fn:fncast/other", batch=True)
    router = Router({"forecast": forecast, "other": other}, {"metrics": "forecast"})
    sent = new_batch(extensions, {"destination": "other"}, {"destination": "unknown"})
    await Chain([router]).on_consume(sent)
    none, named, unknown = sent.deliveries
    assert none.route is forecast
    assert named.route is other
    assert unknown.outcome.kind == "unknown_destination"
    without = new_batch(extensions)
    await Chain([Router({"forecast": forecast}, {"telegraf": "forecast"})]).on_consume(without)
    letter = without.deliveries[0].outcome
    assert letter.kind == "no_destination"
    assert (
        "for the topic 'metrics': set `destination` in an [[inputs]] entry with this `topic`" in letter.reason
    )


async def test_a_destination_must_be_in_the_allow_list():
    route = Route("forecast", "fn:fncast/forecast", batch=True)
    sent = new_batch({"destination": "forecast"}, {"destination": "http://evil/" + "x" * 200}, {})
    await Chain([Router({"forecast": route})]).on_consume(sent)
    known, unknown, none = sent.deliveries
    assert known.route is route
    assert known.outcome is None
    assert "unknown destination 'http://evil/xxx" in unknown.outcome.reason
    assert unknown.outcome.reason.endswith("destinations here: forecast")
    assert len(unknown.outcome.reason) < 150
    assert "no extension `destination`" in none.outcome.reason
