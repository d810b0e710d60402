"""`fncast consume` with wrong settings, and with a listener or a service that fails."""

import asyncio
import os

import pytest

from consumer.settings import Settings
from fncast.cli import consume, service_process
from fncast.cli.main import main
from fncast.failure import Failure
from fncast.http.security import Security


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("FNCAST_KAFKA__CLIENT__FOO", "1", "Kafka's client refuses the settings: No such configuration"),
        ("FNCAST_INTERCEPTORS__CHAIN", "nowhere:Nothing", "interceptor 'nowhere:Nothing' cannot be loaded"),
    ],
)
def test_a_rejected_setting_is_one_sentence_and_exit_code_1(
    tmp_path, monkeypatch, capsys, variable, value, sentence
):
    for name in [name for name in os.environ if name.startswith("FNCAST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    assert main(["consume", "--port", "0"]) == 1
    shown = capsys.readouterr().err
    assert sentence in shown
    assert len(shown.splitlines()) == 1


class FakeService:
    """A service that runs until `stop`, or fails at once with `error`."""

    error: Exception | None = None

    def __init__(self, _: Settings) -> None:
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        if self.error is not None:
            raise self.error
        await self._stopped.wait()

    def stop(self) -> None:
        self._stopped.set()

    def health(self):
        return {}


class FakeServer:
    """A listener that stops at once (by `error` if given), or runs until `should_exit`."""

    should_exit = takes_signals = False

    def __init__(self, error: Exception | None = None, ends: bool = True) -> None:
        self._error, self._ends = error, ends

    async def serve(self, sockets) -> None:
        for socket in sockets:
            socket.close()
        if self._error is not None:
            raise self._error
        while not self.should_exit and not self._ends:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("error", "reason"), [(RuntimeError("a bug"), "RuntimeError: a bug"), (None, "the reason is unknown")]
)
async def test_the_consumer_stops_if_its_listener_stops(monkeypatch, error, reason):
    monkeypatch.setattr(consume, "Service", FakeService)
    monkeypatch.setattr(service_process, "build_server", lambda *_: FakeServer(error))
    with pytest.raises(
        Failure, match=f"^the listener of /metrics, /healthz and /readyz has stopped: {reason}"
    ):
        await asyncio.wait_for(consume.consume(Settings(), "127.0.0.1", 0, Security()), 10)


async def test_an_error_in_the_consumer_is_one_sentence(monkeypatch):
    monkeypatch.setattr(consume, "Service", FakeService)
    monkeypatch.setattr(FakeService, "error", ZeroDivisionError("of an interceptor"))
    monkeypatch.setattr(service_process, "build_server", lambda *_: FakeServer(ends=False))
    with pytest.raises(
        Failure, match=r"^ZeroDivisionError: of an interceptor\. No unfinished event was committed"
    ):
        await asyncio.wait_for(consume.consume(Settings(), "127.0.0.1", 0, Security()), 10)
