"""The pipelines that assemble single readings: fncast, Quix Streams, and one process without any hop."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lib.environment import python_of
from benchmarks.lib.programs import (
    COMMIT_S,
    ConsumersOnly,
    FncastPipeline,
    RunTopics,
    answers,
    fncast_program,
    program,
)
from fncast.demo.plan import HOST
from fncast.demo.process import Program

WINDOW, MIN_READINGS = 48, 24
QUIX_PROGRAM = Path(__file__).parents[1] / "peers" / "quix_windows.py"
QUIX_COMMIT_S = 1.0  # Quix Streams is slower if it commits more often

TOML = """
[kafka]
bootstrap_servers = "{servers}"
group_id = "{topics.group}"
{instance}
output_topic = "{topics.output}"
dead_letter_topic = "{topics.dead_letters}"
outage_topic = "{topics.group}-outages"
state_topic = "{topics.group}-state"
delivery = "{delivery}"

[fn]
url = "{functions}"

[routes.forecast]
url = "fn:fncast/forecast"
encoding = "graphpipe"

[[inputs]]
topic = "{topics.input}"
format = "telegraf-json"
destination = "forecast"

[windows]
window = {window}
min_readings = {min_readings}
every = {every}
{window_settings}

[admin]
port = {port}
"""


@dataclass
class FncastReadings(FncastPipeline):
    """fncast with an input of Telegraf records.

    window_settings: more lines of the table [windows]. is_static: whether consumers are static members of their group
    (KIP-345).
    """

    window: int = WINDOW
    min_readings: int = MIN_READINGS
    every: int = 1
    window_settings: str = ""
    is_static: bool = True

    def _consumer(self, servers: str, topics: RunTopics, folder: Path, number: int, port: int) -> Program:
        file = folder / f"{topics.group}-{number}.toml"
        file.write_text(
            TOML.format(
                servers=servers,
                topics=topics,
                instance=f'instance = "consumer-{number}"' if self.is_static else "",
                delivery=self.delivery,
                functions=f"http://{HOST}:{self._functions_port}",
                window=self.window,
                min_readings=self.min_readings,
                every=self.every,
                window_settings=self.window_settings,
                port=port,
            )
        )
        ready = answers(f"http://{HOST}:{port}/healthz")
        return fncast_program("consumer", "consume", "--config", file, ready=ready)


@dataclass
class OneProcess(ConsumersOnly):
    """One process that decodes, assembles, scores and publishes: `benchmarks/readings/one_process.py`."""

    model: Path
    name: str = "one process, no hop"

    def consumers(self, servers: str, topics: RunTopics, folder: Path) -> list[Program]:
        words = (servers, topics.group, topics.input, topics.output, self.model, self.delivery)
        module = "benchmarks.readings.one_process"
        return [
            program("consumer", sys.executable, "-m", module, *words, variables={"COMMIT_S": str(COMMIT_S)})
        ]


@dataclass
class QuixWindows(ConsumersOnly):
    """Quix Streams keeps the same windows in RocksDB, and forecasts nothing."""

    name: str = "Quix Streams, no forecast"
    environments: Sequence[str] = ("quixstreams",)

    def consumers(self, servers: str, topics: RunTopics, folder: Path) -> list[Program]:
        state = folder / f"state-{topics.group}"
        words = (servers, topics.group, topics.input, self.delivery, state, WINDOW)
        variables = {"COMMIT_S": str(QUIX_COMMIT_S)}
        return [program("consumer", python_of("quixstreams"), QUIX_PROGRAM, *words, variables=variables)]
