"""`fncast monitor` as a pipeline, with a group and topics for each run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.lib.programs import ConsumersOnly, RunTopics, answers, fncast_program
from fncast.demo.plan import HOST, free_ports
from fncast.demo.process import Program

MONITOR = "monitor"  # the name of its process
TOML = """
[kafka]
bootstrap_servers = "{servers}"
instance = "monitor"
input_topics = ["{topics.input}"]
output_topic = "{forecasts}"
dead_letter_topic = "{topics.dead_letters}"
outage_topic = "{topics.group}-outages"
state_topic = "{topics.group}-state"
delivery = "{delivery}"

[monitor]
group_id = "{topics.group}"
accuracy_topic = "{accuracy}"
alerts_topic = "{topics.output}"
min_history = {min_history}
"""


@dataclass
class FncastMonitor(ConsumersOnly):
    """The monitor. The input topic holds the windows, and anomalies go to the output topic.

    forecasts, accuracy: topics. min_history: readings of a series before its first anomaly.
    """

    forecasts: str
    accuracy: str
    min_history: int
    name: str = "fncast monitor"

    def consumers(self, servers: str, topics: RunTopics, folder: Path) -> list[Program]:
        [port] = free_ports(1)
        file = folder / f"{topics.group}.toml"
        file.write_text(
            TOML.format(
                servers=servers,
                topics=topics,
                forecasts=self.forecasts,
                accuracy=self.accuracy,
                min_history=self.min_history,
                delivery=self.delivery,
            )
        )
        ready = answers(f"http://{HOST}:{port}/healthz")
        return [fncast_program(MONITOR, "monitor", "--config", file, "--port", port, ready=ready)]
