"""`fncast dashboard` over a broker that the tests can pause, and a feed."""

from __future__ import annotations

import signal
import subprocess
import sys

from page_feed import Feed

LONG_NAME = "datacenter-eu-central-1/rack-07/machine-0042.internal.example.com:" + "temperature" * 8
HOSTILE_NAME = "<img src=x onerror=alert(1)>"


class Dashboard:
    """`fncast dashboard` as a process. A restart uses the same port."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.url = self._start(0)

    def _start(self, port: int) -> str:
        command = [sys.executable, "-m", "fncast", "dashboard", "--port", str(port)]
        self._process = subprocess.Popen(
            [*command, "--bootstrap-servers", self._address], stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "http://" in line:
                return line.split("at ", 1)[1].split()[0]
        raise AssertionError("the dashboard did not start")

    def end(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=20)
        return self._process.returncode

    def restart(self) -> None:
        assert self._start(int(self.url.rsplit(":", 1)[1])) == self.url


class DashboardTestbed:
    """A broker, a feed, and the dashboard over them."""

    def __init__(self) -> None:
        self.broker = subprocess.Popen(
            [sys.executable, "-m", "consumer.kafka.embedded"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.broker.stdout is not None
        address = self.broker.stdout.readline().strip()
        self.feed = Feed(address, ["cpu", "counter", LONG_NAME, HOSTILE_NAME])
        self.feed.start()
        self.dashboard = Dashboard(address)

    def close(self) -> None:
        self.broker.send_signal(signal.SIGCONT)
        self.feed.stop()
        self.dashboard.end()
        self.broker.kill()
        self.broker.communicate()
