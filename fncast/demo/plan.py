"""The command lines of the demo's processes."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from fncast.demo.models import NAME
from fncast.demo.topics import INPUT_TOPIC, READINGS_TOPIC

HOST = "127.0.0.1"
# Enough for an error well below that of the naive forecast, in about half a minute on two cores.
EPOCHS = 4
# The embedded broker looks for new records only at the end of a fetch's wait, by default twice per second.
FETCH_WAIT_MS = 10
FUNCTION = Path(__file__).resolve().parents[2] / "functions" / "forecast"


@dataclass(frozen=True)
class Ports:
    """The ports of the processes."""

    dashboard: int
    model_service: int
    functions: int
    admin: int


@dataclass(frozen=True)
class Plan:
    """The command lines of the processes.

    settings: the demo's own fncast.toml, so that no other one is read. since_s: the start of the demo, in seconds since
    1970. reading: flags that say how to read files of readings. train: whether to train a model first.
    """

    ports: Ports
    settings: Path
    models: Path
    since_s: float
    reading: Sequence[str] = ()
    train: bool = False

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
        flags = ("--models", self.models, "--name", NAME, "--epochs", EPOCHS, "--progress", "json")
        return self._fncast("train", *flags)

    def model_service(self, is_base: bool = False) -> list[str]:
        """is_base: serve the base model, not one of the folder."""
        model = () if is_base else ("--models", self.models, "--name", NAME)
        return self._fncast("model-service", *model, "--host", HOST, "--port", self.ports.model_service)

    def functions(self) -> list[str]:
        flags = (
            "--host",
            HOST,
            "--port",
            self.ports.functions,
            "--config",
            f"GP_SERVER_URL={self.model_url}",
        )
        return self._fncast("functions", FUNCTION, *flags)

    def consumer(self) -> list[str]:
        return self._fncast("consume", "--config", self.settings, "--host", HOST, "--port", self.ports.admin)

    def source(self, files: Sequence[Path], window: int) -> list[str]:
        """The source of window events. files: CSV files to replay instead of the shop."""
        feeds = [*self.reading, "--replay", *files] if files else ["--shop"]
        name = f"fncast/demo/{quote(socket.gethostname())}"
        flags = (
            "--config",
            self.settings,
            "--window",
            window,
            "--source",
            name,
            "--since",
            f"{self.since_s:.3f}",
        )
        return self._fncast("produce", *feeds, "--topic", INPUT_TOPIC, *flags)

    def machine(self) -> list[str]:
        """The source of this machine's metrics: single readings, as Telegraf sends them."""
        flags = ("--format", "telegraf-json", "--topic", READINGS_TOPIC, "--since", f"{self.since_s:.3f}")
        return self._fncast("produce", "--machine", "--config", self.settings, *flags)

    def write_settings(self, bootstrap_servers: str) -> None:
        """Write the settings file. Delivery is at-least-once: the embedded broker does not isolate transactions."""
        self.settings.write_text(
            "[kafka]\n"
            f'bootstrap_servers = "{bootstrap_servers}"\n'
            'delivery = "at-least-once"\n'
            "[kafka.client]\n"
            f'"fetch.wait.max.ms" = {FETCH_WAIT_MS}\n'
            f'[[inputs]]\ntopic = "{INPUT_TOPIC}"\n'
            f'[[inputs]]\ntopic = "{READINGS_TOPIC}"\nformat = "telegraf-json"\ndestination = "forecast"\n'
            'series = "{name}"\nmin = 0\n'
            "[routes]\n"
            'forecast = { url = "fn:fncast/forecast", batch = true, encoding = "graphpipe" }\n'
            "[fn]\n"
            f'url = "{self.functions_url}"\n'
            "[admin]\n"
            f"port = {self.ports.admin}\n"
        )

    @staticmethod
    def _fncast(*arguments: object) -> list[str]:
        return [sys.executable, "-m", "fncast.demo.child", *map(str, arguments)]


def environment() -> dict[str, str]:
    """The environment of the processes, without `FNCAST_…`: these settings are for the user's own broker."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FNCAST_")}


def free_ports(count: int) -> list[int]:
    """Return different ports that are currently free."""
    held = []
    try:
        for _ in range(count):
            listener = socket.socket()
            listener.bind((HOST, 0))
            held.append(listener)
        return [listener.getsockname()[1] for listener in held]
    finally:
        for listener in held:
            listener.close()
