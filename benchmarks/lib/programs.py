"""The pipelines that are measured, as programs to start: services, then the consumers that call them."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp

from fncast.demo.plan import FORECAST_FOLDER, HOST, environment, free_ports
from fncast.demo.process import Program

ROOT = Path(__file__).parents[2]
FAST_BACKLOG = 100_000  # events of the pipelines that score in batches
AT_LEAST, EXACTLY = "at-least-once", "exactly-once"
COMMIT_S = 0.2  # the commit interval of peers and limit where throughput is measured


@dataclass(frozen=True)
class RunTopics:
    """The topics and the consumer group of one run."""

    group: str
    input: str
    output: str
    dead_letters: str


class Pipeline(Protocol):
    """Reads the input topic and writes the output topic.

    backlog: a number of events that takes long enough to be measured. keeps_order: whether the forecasts of a key are
    in the order of their events.
    """

    name: str
    delivery: str
    keeps_order: bool
    backlog: int

    @property
    def environments(self) -> Sequence[str]:
        """The environments of `benchmarks/lib/environment.py` that its programs need."""

    def services(self) -> list[Program]:
        """Return the programs to start before the consumers, in this order."""

    def consumers(self, servers: str, topics: RunTopics, folder: Path) -> list[Program]:
        """Return the programs that read and write the topics. folder: for files that they need."""


@dataclass(kw_only=True)
class ConsumersOnly:
    """The base of pipelines that keep the order, deliver exactly-once by default, and start no services."""

    delivery: str = EXACTLY
    keeps_order: bool = True
    backlog: int = 0
    environments: Sequence[str] = ()

    def services(self) -> list[Program]:
        return []


@dataclass
class FncastPipeline:
    """fncast with its defaults.

    settings: values that differ from the defaults, by the table of fncast.toml.
    function_url: another function that accepts batches; then neither function host nor model service is started.
    """

    delivery: str
    models: Path
    consumer_count: int = 1
    function_processes: int = 1
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    function_url: str | None = None
    name: str = "fncast"
    keeps_order: bool = True
    backlog: int = FAST_BACKLOG
    environments: Sequence[str] = ()

    def __post_init__(self) -> None:
        self._model_port = self._functions_port = 0

    def services(self) -> list[Program]:
        self._model_port, self._functions_port = free_ports(2)
        if self.function_url is not None:
            return []
        model_url = f"http://{HOST}:{self._model_port}"
        model = ("model-service", "--models", self.models, "--port", self._model_port, "--grpc-port", "none")
        functions = ("functions", FORECAST_FOLDER, "--port", self._functions_port, "--processes")
        configuration = (self.function_processes, "--config", f"GP_SERVER_URL={model_url}")
        ready = f"http://{HOST}:{self._functions_port}/healthz"
        return [
            fncast_program("model service", *model, ready=answers(f"{model_url}/readyz")),
            fncast_program("functions", *functions, *configuration, ready=answers(ready)),
        ]

    def consumers(self, servers: str, topics: RunTopics, folder: Path) -> list[Program]:
        return [
            self._consumer(servers, topics, folder, number, port)
            for number, port in enumerate(free_ports(self.consumer_count))
        ]

    def _consumer(self, servers: str, topics: RunTopics, folder: Path, number: int, port: int) -> Program:
        tables: dict[str, dict[str, object]] = {
            "kafka": {
                "bootstrap_servers": servers,
                "group_id": topics.group,
                "instance": f"consumer-{number}",
                "input_topics": [topics.input],
                "output_topic": topics.output,
                "dead_letter_topic": topics.dead_letters,
                "delivery": self.delivery,
            },
            "fn": {"url": f"http://{HOST}:{self._functions_port}"},
            "admin": {"port": port},
        }
        if self.function_url is not None:
            tables["routes"] = {}
            tables["routes.forecast"] = {"url": self.function_url, "batch": True}
        for table, values in self.settings.items():
            tables.setdefault(table, {}).update(values)
        file = folder / f"{topics.group}-{number}.toml"
        file.write_text("".join(_table(name, values) for name, values in tables.items()))
        ready = answers(f"http://{HOST}:{port}/healthz")
        return fncast_program("consumer", "consume", "--config", file, ready=ready)


@dataclass
class LimitPipeline:
    """One process without a network hop: `benchmarks/pipelines/limit.py`."""

    delivery: str
    model: Path
    commit_s: float = COMMIT_S
    name: str = "the limit: one process, no hop"
    keeps_order: bool = True
    backlog: int = FAST_BACKLOG
    environments: Sequence[str] = ()

    def services(self) -> list[Program]:
        return []

    def consumers(self, servers: str, topics: RunTopics, folder: Path) -> list[Program]:
        arguments = (servers, topics.group, topics.input, topics.output, self.model, self.delivery)
        variables = {"COMMIT_S": str(self.commit_s)}
        return [
            program(
                "consumer",
                sys.executable,
                "-m",
                "benchmarks.pipelines.limit",
                *arguments,
                variables=variables,
            )
        ]


def fncast_program(name: str, *words: object, ready: Callable[[], Awaitable[bool]] | None = None) -> Program:
    """Return a program that runs a command of fncast and ends with this process."""
    return program(name, sys.executable, "-m", "fncast.demo.child", *words, ready=ready)


def program(
    name: str,
    *words: object,
    ready: Callable[[], Awaitable[bool]] | None = None,
    variables: Mapping[str, str] | None = None,
) -> Program:
    """Return a program that is not restarted and can import this project. variables: for its environment."""
    inherited = {**environment(), "PYTHONPATH": str(ROOT), **(variables or {})}
    return Program(name, [str(word) for word in words], ready, environment=inherited, is_restarted=False)


def answers(url: str) -> Callable[[], Awaitable[bool]]:
    """Return a probe: whether `url` answers 200."""

    async def probe() -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError):
            return False

    return probe


def _table(name: str, values: Mapping[str, object]) -> str:
    """Return a table as TOML."""
    return f"[{name}]\n" + "".join(f"{_key(key)} = {_value(value)}\n" for key, value in values.items())


def _key(name: str) -> str:
    return f'"{name}"' if "." in name else name


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_value, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)
