"""Which processes the demo runs, with which flags; every hop is one of its own."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from fncast.demo.models import NAME

HOST = "127.0.0.1"
# Enough for an error well below naive's, in about half a minute on two cores.
EPOCHS = 4
# The embedded broker looks for new records only when a fetch's wait is over: by default twice a second.
FETCH_WAIT_MS = 10
FUNCTION = Path(__file__).resolve().parents[2] / "functions" / "forecast"


@dataclass(frozen=True)
class Ports:
    """Where the parts listen. All but the page's are whatever is free."""

    dashboard: int
    model_service: int
    functions: int
    admin: int


@dataclass(frozen=True)
class Plan:
    """The command lines of the parts. settings: the demo's own fncast.toml, so that no other is read.

    reading: flags that say how files of readings are read."""

    ports: Ports
    settings: Path
    models: Path
    since_s: float
    reading: Sequence[str] = ()

    @property
    def page(self) -> str:
        return f"http://{HOST}:{self.ports.dashboard}"

    @property
    def model_url(self) -> str:
        return f"http://{HOST}:{self.ports.model_service}"

    @property
    def functions_url(self) -> str:
        return f"http://{HOST}:{self.ports.functions}"

    @property
    def admin_url(self) -> str:
        return f"http://{HOST}:{self.ports.admin}"

    def broker(self) -> list[str]:
        return [sys.executable, "-m", "consumer.kafka.embedded"]

    def dashboard(self) -> list[str]:
        return self._fncast(
            "dashboard", "--config", self.settings, "--host", HOST, "--port", self.ports.dashboard
        )

    def training(self) -> list[str]:
        words = ("--models", self.models, "--name", NAME, "--epochs", EPOCHS, "--progress", "json")
        return self._fncast("train", *words)

    def model_service(self) -> list[str]:
        words = ("--models", self.models, "--name", NAME, "--host", HOST, "--port", self.ports.model_service)
        return self._fncast("model-service", *words)

    def functions(self) -> list[str]:
        words = (
            "--host",
            HOST,
            "--port",
            self.ports.functions,
            "--config",
            f"GP_SERVER_URL={self.model_url}",
        )
        return self._fncast("functions", FUNCTION, *words)

    def consumer(self) -> list[str]:
        return self._fncast("consume", "--config", self.settings, "--host", HOST, "--port", self.ports.admin)

    def source(self, files: Sequence[Path], window: int) -> list[str]:
        """files: CSV files to replay instead of this machine and the shop."""
        feeds = [*self.reading, "--replay", *files] if files else ["--machine", "--shop"]
        name = f"fncast/demo/{quote(socket.gethostname())}"
        words = (
            "--config",
            self.settings,
            "--window",
            window,
            "--source",
            name,
            "--since",
            f"{self.since_s:.3f}",
        )
        return self._fncast("produce", *feeds, *words)

    def write_settings(self, bootstrap_servers: str) -> None:
        """Write the settings file. The embedded broker isolates no transactions, so delivery is at least once."""
        self.settings.write_text(
            "[kafka]\n"
            f'bootstrap_servers = "{bootstrap_servers}"\n'
            'delivery = "at-least-once"\n'
            "[kafka.client]\n"
            f'"fetch.wait.max.ms" = {FETCH_WAIT_MS}\n'
            "[fn]\n"
            f'url = "{self.functions_url}"\n'
            "[admin]\n"
            f"port = {self.ports.admin}\n"
        )

    @staticmethod
    def _fncast(*words: object) -> list[str]:
        return [sys.executable, "-m", "fncast.demo.child", *map(str, words)]


def environment() -> dict[str, str]:
    """What the processes inherit: all but fncast's settings, which are for the user's own broker."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FNCAST_")}


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on now, all different."""
    held = []
    try:
        for _ in range(count):
            one = socket.socket()
            one.bind((HOST, 0))
            held.append(one)
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()
