"""The pipelines that are measured, as programs: first what stands behind the consumer, then the consumer."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp

from demo.plan import FETCH_WAIT_MS, FUNCTION, HOST, environment, free_ports
from demo.process import Program


@dataclass(frozen=True)
class Topics:
    """The topics of one run; group: the consumers' group."""

    group: str
    input: str
    output: str
    dead_letters: str


class Pipeline(Protocol):
    """One way from the input topic to the output topic."""

    name: str

    def services(self) -> list[Program]:
        """Started in this order, each once the one before is ready."""

    def consumer(self, servers: str, topics: Topics, folder: Path) -> Program:
        """Reads and writes the topics. folder: for files that it needs."""


class Fncast:
    """fncast with its own defaults."""

    def __init__(self, delivery: str, models: Path) -> None:
        self.name = f"fncast, {delivery}"
        self._delivery = delivery
        self._models = models
        self._model_port, self._functions_port, self._admin_port = free_ports(3)

    def services(self) -> list[Program]:
        model_url = f"http://{HOST}:{self._model_port}"
        functions = ("demo.child", "functions", FUNCTION, "--port", self._functions_port)
        return [
            _program(
                "model-service",
                ["demo.child", "model-service", "--models", self._models, "--port", self._model_port],
                answers(f"{model_url}/readyz"),
            ),
            _program(
                "functions",
                [*functions, "--config", f"GP_SERVER_URL={model_url}"],
                answers(f"http://{HOST}:{self._functions_port}/healthz"),
            ),
        ]

    def consumer(self, servers: str, topics: Topics, folder: Path) -> Program:
        settings = folder / f"{topics.group}.toml"
        settings.write_text(
            "[kafka]\n"
            f'bootstrap_servers = "{servers}"\n'
            f'group_id = "{topics.group}"\n'
            f'input_topics = ["{topics.input}"]\n'
            f'output_topic = "{topics.output}"\n'
            f'dead_letter_topic = "{topics.dead_letters}"\n'
            f'delivery = "{self._delivery}"\n'
            "[kafka.client]\n"
            f'"fetch.wait.max.ms" = {FETCH_WAIT_MS}\n'
            "[fn]\n"
            f'url = "http://{HOST}:{self._functions_port}"\n'
            "[admin]\n"
            f"port = {self._admin_port}\n"
        )
        ready = answers(f"http://{HOST}:{self._admin_port}/healthz")
        return _program("consumer", ["demo.child", "consume", "--config", settings], ready)


class Plain:
    """One event a call: `benchmarks/plain_pipeline`."""

    name = "plain, one event a call"

    def __init__(self, model: Path) -> None:
        """model: a .tflite file."""
        self._model = model
        self._model_port, self._function_port = free_ports(2)

    def services(self) -> list[Program]:
        model_url, function_url = f"http://{HOST}:{self._model_port}", f"http://{HOST}:{self._function_port}"
        room = "benchmarks.plain_pipeline"
        return [
            _program(
                "plain-model",
                [f"{room}.model_service", self._model, self._model_port],
                answers(f"{model_url}/healthz"),
            ),
            _program(
                "plain-function",
                [f"{room}.function", model_url, self._function_port],
                answers(f"{function_url}/healthz"),
            ),
        ]

    def consumer(self, servers: str, topics: Topics, folder: Path) -> Program:
        url = f"http://{HOST}:{self._function_port}/"
        words = [
            "benchmarks.plain_pipeline.consumer",
            servers,
            topics.group,
            topics.input,
            topics.output,
            url,
        ]
        return _program("plain-consumer", words, None)


def answers(url: str) -> Callable[[], Awaitable[bool]]:
    """Whether `url` answers 200."""

    async def probe() -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError):
            return False

    return probe


def _program(name: str, words: Sequence[object], ready: Callable[[], Awaitable[bool]] | None) -> Program:
    argv = [sys.executable, "-m", *map(str, words)]
    return Program(name, argv, ready, environment=environment(), restart=False)
