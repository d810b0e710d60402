"""The peers' pipelines: the programs in `benchmarks/peers`, each in a separate environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.lib.broker import PARTITIONS
from benchmarks.lib.environment import python_of
from benchmarks.lib.programs import AT_LEAST, COMMIT_S, EXACTLY, RunTopics, answers, program
from fncast.demo.plan import HOST, free_ports
from fncast.demo.process import Program

PROGRAMS = Path(__file__).parents[1] / "peers"
SERVICES = "plain"  # the environment of function and model service
# Numbers of events that take 10 to 20 s on two cores, by the concurrency of the pipeline.
ONE_AFTER_THE_OTHER, ONE_A_PARTITION, MANY_AT_ONCE = 3_000, 6_000, 8_000


@dataclass
class Peer:
    """A pipeline that calls a FastAPI function with one event a call. The function calls a FastAPI model service.

    environment: of its program, `script`. words: arguments of the program, after servers, group, topic, output and the
    function's URL. needs_state: its last argument is a folder for its state. commit_s: its commit interval, if it can
    be set. processes: how many share the partitions.
    """

    name: str
    environment: str
    script: str
    delivery: str
    model: Path
    words: tuple[str, ...] = ()
    keeps_order: bool = True
    backlog: int = ONE_AFTER_THE_OTHER
    needs_state: bool = False
    commit_s: float = COMMIT_S
    processes: int = 1

    def __post_init__(self) -> None:
        self._function_url = ""

    @property
    def environments(self) -> Sequence[str]:
        return (SERVICES, self.environment)

    def services(self) -> list[Program]:
        """Return model service and function. Raises NoEnvironment."""
        model_port, function_port = free_ports(2)
        self._function_url = f"http://{HOST}:{function_port}"
        python = python_of(SERVICES)
        model_url = f"http://{HOST}:{model_port}"
        model = (python, PROGRAMS / "http_model.py", self.model, model_port)
        function = (python, PROGRAMS / "http_function.py", model_url, function_port)
        return [
            program("model service", *model, ready=answers(f"{model_url}/healthz")),
            program("functions", *function, ready=answers(f"{self._function_url}/healthz")),
        ]

    def consumers(self, servers: str, topics: RunTopics, folder: Path) -> list[Program]:
        """Return the processes of the peer. Raises NoEnvironment."""
        words: list[object] = [servers, topics.group, topics.input, topics.output, f"{self._function_url}/"]
        words = [python_of(self.environment), PROGRAMS / self.script, *words, *self.words]
        variables = {"COMMIT_S": str(self.commit_s)}
        states = [
            [folder / f"{topics.group}-state-{number}"] if self.needs_state else []
            for number in range(self.processes)
        ]
        return [program("consumer", *words, *state, variables=variables) for state in states]


def plain_loop(model: Path, delivery: str) -> Peer:
    return Peer("plain loop", "plain", "plain_loop.py", delivery, model, words=(delivery,))


def peers(model: Path) -> list[Peer]:
    """Return all peers. model: a .tflite file."""
    return [
        plain_loop(model, AT_LEAST),
        plain_loop(model, EXACTLY),
        Peer(
            "plain, a worker a partition",
            "plain",
            "plain_workers.py",
            AT_LEAST,
            model,
            backlog=ONE_A_PARTITION,
        ),
        *_faststream(model),
        *_quix_streams(model),
    ]


def _faststream(model: Path) -> list[Peer]:
    aiokafka = "faststream_aiokafka.py"
    return [
        Peer("FastStream, confluent", "faststream", "faststream_confluent.py", AT_LEAST, model),
        Peer(
            "FastStream, aiokafka, a worker a partition",
            "faststream",
            aiokafka,
            AT_LEAST,
            model,
            words=(str(PARTITIONS), "keep-order"),
            backlog=ONE_A_PARTITION,
        ),
        Peer(
            "FastStream, aiokafka, 16 workers",
            "faststream",
            aiokafka,
            "at-most-once",  # it acknowledges first
            model,
            words=("16", "any-order"),
            keeps_order=False,
            backlog=MANY_AT_ONCE,
        ),
    ]


def _quix_streams(model: Path) -> list[Peer]:
    def peer(name: str, delivery: str) -> Peer:
        return Peer(
            name, "quixstreams", "quix_streams.py", delivery, model, words=(delivery,), needs_state=True
        )

    side_by_side = peer(f"Quix Streams, {PARTITIONS} processes", AT_LEAST)
    return [
        peer("Quix Streams", AT_LEAST),
        peer("Quix Streams", EXACTLY),
        replace(side_by_side, processes=PARTITIONS, backlog=ONE_A_PARTITION),
    ]
