"""The chain: built once, called in order. Records that are not events are settled before it."""

import sys
import types

import pytest

from interceptor.builtin.expiry import Expiry
from interceptor.chain import Chain, compose, mark_done
from interceptor.contract import Interceptor, StatefulInterceptor
from interceptor.delivery import Batch, Delivery, StateRecord, Tick
from interceptor.outcome import DeadLetter, Skipped
from tests.interceptor.deliveries import new_batch


class Recorder(Interceptor):
    """An interceptor of a user: it records its calls."""

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


async def test_a_users_interceptor_is_loaded_and_called(monkeypatch):
    Recorder.log = []
    module = types.ModuleType("users_package")
    module.Recorder = Recorder
    monkeypatch.setitem(sys.modules, "users_package", module)
    chain = compose(["users_package:Recorder"], {}, "settings")
    await chain.on_consume(new_batch({}, {}))
    chain.on_commit({("metrics", 0): 2})
    await chain.close()
    assert Recorder.log == [("configure", "settings"), ["0", "1"], ("commit", {("metrics", 0): 2}), "close"]


async def test_a_record_that_is_not_an_event_is_a_dead_letter_and_the_others_continue():
    Recorder.log = []
    sent = new_batch({}, None, {})
    await Chain([Recorder()]).on_consume(sent)
    assert isinstance(sent.deliveries[1].outcome, DeadLetter)
    assert Recorder.log == [["0", "2"]]


async def test_interceptors_are_called_in_order():
    class Skipping(Interceptor):
        async def on_consume(self, batch):
            batch.pending()[0].outcome = Skipped("because")
            return batch

    Recorder.log = []
    await Chain([Recorder(), Skipping(), Recorder()]).on_consume(new_batch({}, {}))
    assert Recorder.log == [["0", "1"], ["1"]]


@pytest.mark.parametrize("error", [SystemExit(0), GeneratorExit()])
async def test_an_interceptor_cannot_end_the_process_without_an_error(error):
    class Leaving(Interceptor):
        async def on_consume(self, batch):
            raise error

    with pytest.raises(RuntimeError, match=f"^the interceptor Leaving raised {type(error).__name__}"):
        await Chain([Leaving()]).on_consume(new_batch({}))


async def test_an_interceptor_that_returns_no_batch_is_named():
    class Forgetful(Interceptor):
        async def on_consume(self, batch):
            batch.pending()

    with pytest.raises(
        TypeError, match="of the interceptor Forgetful must return the batch, but it returned NoneType"
    ):
        await Chain([Forgetful()]).on_consume(new_batch({}))


async def test_an_exception_is_raised():
    class Broken(Interceptor):
        async def on_consume(self, batch):
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await Chain([Broken()]).on_consume(new_batch({}))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("exspiry", "neither a built-in (expiry) nor of the form package.module:Class"),
        ("no.such.module:Class", "cannot be loaded"),
        ("json:NoSuchClass", "cannot be loaded"),
        (":Class", "interceptor ':Class' cannot be loaded"),
        ("json:JSONDecoder", "is not a subclass of interceptor.contract.Interceptor"),
    ],
)
def test_an_interceptor_that_cannot_be_loaded_is_named(name, reason):
    with pytest.raises(ValueError) as error:
        compose(["expiry", name], {"expiry": Expiry}, None)
    assert reason in str(error.value)


def test_settled_deliveries_are_done():
    sent = new_batch({}, {}, None)
    sent.deliveries[0].outcome = Skipped("because")
    mark_done(sent.deliveries[:2])
    assert [delivery.is_done for delivery in sent.deliveries] == [True, False, False]


class Counting(StatefulInterceptor):
    """Counts records, and writes the count at each tick."""

    count = 0

    async def on_consume(self, batch):
        for delivery in batch.deliveries:
            if isinstance(delivery.record, Tick):
                delivery.state.append(StateRecord(b"count", b"%d" % self.count))
            else:
                self.count += 1
        return batch


async def test_a_tick_reaches_stateful_interceptors_and_is_not_an_event():
    Recorder.log = []
    batch = new_batch({})
    tick = Delivery(Tick("metrics", 0, 0, 1000, None, None, []))
    await Chain([Counting(), Recorder()]).on_consume(Batch([*batch.deliveries, tick]))
    assert Recorder.log == [["0"]]
    assert isinstance(tick.outcome, Skipped)
    assert tick.state == [StateRecord(b"count", b"1", "Counting")]


async def test_a_tick_with_windows_on_their_way_stays_unsettled():
    class Closing(StatefulInterceptor):
        async def on_consume(self, batch):
            batch.deliveries[0].windows = [Delivery(batch.deliveries[0].record)]
            return batch

    tick = Delivery(Tick("metrics", 0, 0, 1000, None, None, []))
    await Chain([Closing()]).on_consume(Batch([tick]))
    assert tick.outcome is None


def test_stateful_interceptors_have_unique_names():
    chain = Chain([Counting(), Recorder(), Counting()], ["a:B", "mine:Recorder", "a:B"])
    assert list(chain.stateful) == ["a:B", "a:B#2"]
