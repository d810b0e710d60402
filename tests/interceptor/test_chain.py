"""The chain: composed once, in order; what is no event is settled before it."""

import sys
import types
from datetime import UTC, datetime

import pytest

from interceptor.builtin.expiry import Expiry
from interceptor.builtin.router import Router
from interceptor.chain import Chain, compose
from interceptor.contract import Interceptor
from interceptor.delivery import Batch, Delivery, Record
from interceptor.outcome import DeadLetter, Skipped
from interceptor.routes.route import Route

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def batch(*extensions: dict[str, str] | None) -> Batch:
    """A delivery for each dict of extensions; None makes one that is no event."""
    deliveries = []
    for number, told in enumerate(extensions):
        headers = []
        if told is not None:
            attributes = {"specversion": "1.0", "id": str(number), "source": "/in", "type": "t"} | told
            headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
        deliveries.append(Delivery(Record("metrics", 0, number, 0, None, b"[1]", headers)))
    return Batch(deliveries)


class Recorder(Interceptor):
    """A user's own interceptor."""

    log: list[object] = []  # noqa: RUF012

    def configure(self, settings):
        self.log.append(("configure", settings))

    async def on_consume(self, batch):
        self.log.append([delivery.opened.attributes["id"] for delivery in batch.pending()])
        return batch

    def on_commit(self, offsets):
        self.log.append(("commit", offsets))

    async def close(self):
        self.log.append("close")


async def test_the_life_of_a_users_interceptor(monkeypatch):
    Recorder.log = []
    module = types.ModuleType("users_package")
    module.Recorder = Recorder
    monkeypatch.setitem(sys.modules, "users_package", module)
    chain = compose(["users_package:Recorder"], {}, "settings")
    await chain.on_consume(batch({}, {}))
    chain.on_commit({("metrics", 0): 2})
    await chain.close()
    assert Recorder.log == [("configure", "settings"), ["0", "1"], ("commit", {("metrics", 0): 2}), "close"]


async def test_what_is_no_event_is_a_dead_letter_and_the_rest_goes_on():
    Recorder.log = []
    sent = batch({}, None, {})
    await Chain([Recorder()]).on_consume(sent)
    assert isinstance(sent.deliveries[1].outcome, DeadLetter)
    assert Recorder.log == [["0", "2"]]


async def test_order_is_that_of_the_list():
    class Skipping(Interceptor):
        async def on_consume(self, batch):
            batch.pending()[0].outcome = Skipped("because")
            return batch

    Recorder.log = []
    await Chain([Recorder(), Skipping(), Recorder()]).on_consume(batch({}, {}))
    assert Recorder.log == [["0", "1"], ["1"]]


async def test_an_exception_goes_through():
    class Broken(Interceptor):
        async def on_consume(self, batch):
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await Chain([Broken()]).on_consume(batch({}))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("exspiry", "neither a built-in (expiry) nor of the form package.module:Class"),
        ("no.such.module:Class", "cannot be loaded"),
        ("json:NoSuchClass", "cannot be loaded"),
        ("json:JSONDecoder", "is no subclass of interceptor.contract.Interceptor"),
    ],
)
def test_an_interceptor_that_leads_nowhere_is_told(name, told):
    with pytest.raises(ValueError) as error:
        compose(["expiry", name], {"expiry": Expiry}, None)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("expirytime", "outcome"),
    [
        ("2026-01-01T11:59:59Z", Skipped("expired")),
        ("2026-01-01T12:00:00+00:00", Skipped("expired")),
        ("2026-01-01T13:00:00+02:00", Skipped("expired")),
        ("2026-01-01T12:00:01Z", None),
        ("2099-01-01t00:00:00z", None),
        ("2016-12-31T23:59:60Z", Skipped("expired")),
        ("9999-12-31T23:59:59.999999999-23:59", None),
        ("0001-01-01T00:00:00+23:59", Skipped("expired")),
        ("", None),
    ],
)
async def test_expiry(expirytime, outcome):
    sent = batch({"expirytime": expirytime}, {})
    await Chain([Expiry(lambda: NOW)]).on_consume(sent)
    assert [delivery.outcome for delivery in sent.deliveries] == [outcome, None]


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "2026-01-01T12:00:00",
        "2026-13-01T00:00:00Z",
        "20990101T000000Z",
        "2099-W01-1T00:00:00Z",
        "2099-01-01T00:00:00+0200",
        "2099-01-01T00:00Z",
        "2099-01-01T00:00:00,5Z",
        "2099-01-01 00:00:00Z",
        "\x1b[2J" * 1000,
    ],
)
async def test_an_expirytime_that_is_no_time_is_a_dead_letter(text):
    sent = batch({"expirytime": text})
    await Chain([Expiry(lambda: NOW)]).on_consume(sent)
    reason = sent.deliveries[0].outcome.reason
    assert reason.startswith("expirytime: ")
    assert " is not " in reason
    assert len(reason) < 300
    assert reason.isprintable()


@pytest.mark.parametrize("extensions", [{}, {"destination": ""}])
async def test_the_topics_destination_holds_for_an_event_that_names_none(extensions):
    forecast = Route("forecast", "fn:fncast/forecast", batch=True)
    other = Route("other", "fn:fncast/other", batch=True)
    router = Router({"forecast": forecast, "other": other}, {"metrics": "forecast"})
    sent = batch(extensions, {"destination": "other"}, {"destination": "unknown"})
    await Chain([router]).on_consume(sent)
    none, named, unknown = sent.deliveries
    assert none.route is forecast
    assert named.route is other
    assert unknown.outcome.kind == "unknown_destination"
    without = batch(extensions)
    await Chain([Router({"forecast": forecast}, {"telegraf": "forecast"})]).on_consume(without)
    letter = without.deliveries[0].outcome
    assert letter.kind == "no_destination"
    assert (
        "for the topic 'metrics': set `destination` in an [[inputs]] entry with this `topic`" in letter.reason
    )


async def test_a_destination_is_a_name_of_the_allow_list():
    route = Route("forecast", "fn:fncast/forecast", batch=True)
    sent = batch({"destination": "forecast"}, {"destination": "http://evil/" + "x" * 200}, {})
    await Chain([Router({"forecast": route})]).on_consume(sent)
    known, unknown, none = sent.deliveries
    assert known.route is route
    assert known.outcome is None
    assert "unknown destination 'http://evil/xxx" in unknown.outcome.reason
    assert unknown.outcome.reason.endswith("destinations here: forecast")
    assert len(unknown.outcome.reason) < 150
    assert "no extension `destination`" in none.outcome.reason


@pytest.mark.parametrize("target", ["fn:app", "fn:/f", "fn:a/b/c", "ftp://x", "forecast"])
def test_a_route_that_leads_nowhere_is_refused(target):
    with pytest.raises(ValueError, match="route 'x'"):
        Route("x", target, batch=True)
