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
from fncast.demo.settings_text import settings_text
from fncast.demo.topics import INPUT_TOPIC, MONITOR_STATE_TOPIC, READINGS_TOPIC

HOST = "127.0.0.1"
# Enough for an error well below that of the naive forecast.
EPOCHS = 4
FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
FORECAST_FOLDER, NOTIFY_FOLDER = FUNCTIONS / "forecast", FUNCTIONS / "notify"


@dataclass(frozen=True)
class DemoPorts:
    """The ports of the processes."""

    dashboard: int
    model_service: int
    functions: int
    admin: int
    monitor: int
    pager: int


@dataclass(frozen=True)
class Plan:
    """The command lines of the processes.

    settings: where the demo's fncast.toml is written. The processes read no other one. reading_flags: how to read files
    of readings. trains_first: whether a model is trained before it serves.
    """

    ports: DemoPorts
    settings: Path
    models: Path
    reading_flags: Sequence[str] = ()
    trains_first: bool = False

    @property
    def page_url(self) -> str:
        """Where the live page is."""
        return f"http://{HOST}:{self.ports.dashboard}"

    @property
    def model_url(self) -> str:
        """Where the model service is."""
        return f"http://{HOST}:{self.ports.model_service}"

    @property
    def functions_url(self) -> str:
        """Where the function host is."""
        return f"http://{HOST}:{self.ports.functions}"

    @property
    def admin_url(self) -> str:
        """Where the consumer's health and metrics are."""
        return f"http://{HOST}:{self.ports.admin}"

    @property
    def monitor_url(self) -> str:
        """Where the monitor's health and metrics are."""
        return f"http://{HOST}:{self.ports.monitor}"

    @property
    def pager_url(self) -> str:
        """Where the function `notify` sends anomalies and alerts."""
        return f"http://{HOST}:{self.ports.pager}"

    def broker(self) -> list[str]:
        """The embedded broker."""
        return [sys.executable, "-m", "consumer.kafka.embedded"]

    def dashboard(self) -> list[str]:
        """The live page."""
        return self._fncast(
            "dashboard", "--config", self.settings, "--host", HOST, "--port", self.ports.dashboard
        )

    def training(self) -> list[str]:
        """The training of a model on generated series."""
        flags = ("--models", self.models, "--name", NAME, "--epochs", EPOCHS, "--progress", "json")
        return self._fncast("train", *flags)

    def model_service(self, is_base: bool = False) -> list[str]:
        """is_base: serve the base model, not one of the folder."""
        model = () if is_base else ("--models", self.models, "--name", NAME)
        return self._fncast("model-service", *model, "--host", HOST, "--port", self.ports.model_service)

    def functions(self) -> list[str]:
        """The function host with `forecast` and `notify`."""
        flags = (
            "--host",
            HOST,
            "--port",
            self.ports.functions,
            "--config",
            f"GP_SERVER_URL={self.model_url}",
            "--config",
            f"WEBHOOK_URL={self.pager_url}",
        )
        return self._fncast("functions", FORECAST_FOLDER, NOTIFY_FOLDER, *flags)

    def consumer(self) -> list[str]:
        """The consumer."""
        return self._fncast("consume", "--config", self.settings, "--host", HOST, "--port", self.ports.admin)

    def monitor(self) -> list[str]:
        """The monitor."""
        return self._fncast(
            "monitor", "--config", self.settings, "--host", HOST, "--port", self.ports.monitor
        )

    def source(self, files: Sequence[Path], window: int, since_s: float) -> list[str]:
        """The source of window events. files: CSV files to replay instead of the shop.

        since_s: its start in seconds since 1970, so that it continues after a restart.
        """
        feeds = [*self.reading_flags, "--replay", *files] if files else ["--shop"]
        name = f"fncast/demo/{quote(socket.gethostname())}"
        flags = (
            "--config",
            self.settings,
            "--window",
            window,
            "--source",
            name,
            "--since",
            f"{since_s:.3f}",
        )
        return self._fncast("produce", *feeds, "--topic", INPUT_TOPIC, *flags)

    def machine(self, since_s: float) -> list[str]:
        """The source of this machine's metrics: single readings, as Telegraf sends them. since_s: see `source`."""
        flags = ("--format", "telegraf-json", "--topic", READINGS_TOPIC, "--since", f"{since_s:.3f}")
        return self._fncast("produce", "--machine", "--config", self.settings, *flags)

    def write_settings(self, bootstrap_servers: str, has_shop: bool = True) -> None:
        """Write the settings file. has_shop: whether there are the shop's series, for which there is an alert rule."""
        text = settings_text(bootstrap_servers, self.functions_url, self.ports.admin, has_shop)
        self.settings.write_text(text, "utf-8")

    @staticmethod
    def _fncast(*arguments: object) -> list[str]:
        return [sys.executable, "-m", "fncast.demo.child", *map(str, arguments)]


# A separate topic: the monitor writes so much state that the embedded broker would drop the consumer's from its topic.
MONITOR_ENVIRONMENT = {"FNCAST_KAFKA__STATE_TOPIC": MONITOR_STATE_TOPIC}


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
