"""`fncast dashboard` over a broker that the tests can pause, and a feed."""

from __future__ import annotations

from contextlib import ExitStack, closing

from page_feed import Feed

from tests.fncast.mock_broker import MockBroker
from tests.running_command import RunningCommand

LONG_NAME = "datacenter-eu-central-1/rack-07/machine-0042.internal.example.com:" + "temperature" * 8
HOSTILE_NAME = "<img src=x onerror=alert(1)>"


class Dashboard:
    """`fncast dashboard` as a process. A restart uses the same port."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._running = self._start(0)
        self.url = self._running.url

    def _start(self, port: int) -> RunningCommand:
        return RunningCommand("dashboard", "--port", port, "--bootstrap-servers", self._address)

    def end(self) -> int:
        """Stop the process. Returns its exit code."""
        return self._running.stop()

    def restart(self) -> None:
        self._running.close()
        self._running = self._start(int(self.url.rsplit(":", 1)[1]))
        assert self._running.url == self.url

    def close(self) -> None:
        self._running.close()


class DashboardTestbed:
    """A broker, a feed, and the dashboard over them."""

    def __init__(self) -> None:
        with ExitStack() as started:
            self.broker = started.enter_context(closing(MockBroker()))
            self.feed = Feed(self.broker.address, ["cpu", "counter", LONG_NAME, HOSTILE_NAME])
            self.feed.start()
            started.callback(self.feed.stop)
            self.dashboard = started.enter_context(closing(Dashboard(self.broker.address)))
            self._started = started.pop_all()

    def close(self) -> None:
        self.broker.resume()
        self._started.close()
