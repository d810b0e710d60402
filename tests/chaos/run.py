"""The chaos run: a steady load, and a seeded schedule of kills by progress; then the checker decides.

usage: run.py [--kills 30] [--seed 0] [--rate 300] [--bug BUG] [--crash POINT:N] …

One of two consumers (kill -9, or frozen past its session and continued), the function (kill -9, or away for a
while) and the broker (kill and restart) are the victims. Exit code: the checker's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "integration"))
from kafka_container import PARTITIONS, KafkaContainer, free_port  # noqa: E402

KEYS = 20
POISON_SHARE = 0.01
FREEZE_S = 14.0  # past the session and the transaction, 10 s each
AWAY_S = 5.0
PATIENCE_S = 120.0
KINDS = ("consumer", "function", "freeze", "away", "broker")
WEIGHTS = (10, 6, 2, 1, 2)


@dataclass
class Victim:
    name: str
    words: list[str]
    log: Path
    variables: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    frozen_at_s: float = 0.0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.words],
                stderr=log,
                stdout=log,
                env={**os.environ, **self.variables},
                cwd=HERE.parents[1],
            )

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait()

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def is_frozen(self) -> bool:
        """Whether it is stopped; it is continued after FREEZE_S."""
        assert self.process is not None
        try:
            is_stopped = psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            is_stopped = False
        if not is_stopped:
            self.frozen_at_s = 0.0
        elif not self.frozen_at_s:
            self.frozen_at_s = time.monotonic()
            say(f"{self.name} is frozen")
        elif time.monotonic() - self.frozen_at_s >= FREEZE_S:
            self.signal(signal.SIGCONT)
        return is_stopped


class Load(threading.Thread):
    """Produces keyed, numbered events at a steady rate, until `enough` is set."""

    def __init__(self, servers: str, topic: str, rate: float, randomly: random.Random, file: Path) -> None:
        super().__init__(daemon=True)
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "enable.idempotence": True,
                "message.timeout.ms": 0,
                "linger.ms": 5,
            }
        )
        self._topic, self._rate, self._random, self._file = topic, rate, randomly, file
        self.enough = threading.Event()
        self.produced = 0

    def run(self) -> None:
        started_s = time.monotonic()
        with self._file.open("w") as file:
            while not self.enough.is_set():
                due = int((time.monotonic() - started_s) * self._rate)
                while self.produced < due:
                    self._one(file)
                self._producer.poll(0)
                self.enough.wait(0.01)
        while self._producer.flush(1.0):
            pass

    def _one(self, file) -> None:
        key = f"k{self._random.randrange(KEYS)}"
        id_ = f"{key}:{self.produced}"
        is_poison = self._random.random() < POISON_SHARE
        data = json.dumps({"poison": True} if is_poison else {"values": [1.0] * 8})
        attributes = {
            "specversion": "1.0",
            "id": id_,
            "source": "chaos",
            "type": "t",
            "destination": "forecast",
        }
        headers = [(f"ce_{name}", text) for name, text in attributes.items()]
        self._producer.produce(
            self._topic, data, key, headers=[*headers, ("content-type", "application/json")]
        )
        file.write(json.dumps({"id": id_, "key": key, "is_poison": is_poison}) + "\n")
        self.produced += 1


class Progress:
    """How many inputs are settled, as a read-committed reader sees it."""

    def __init__(self, servers: str, topics: list[str]) -> None:
        self._reader = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": f"progress-{uuid.uuid4().hex}",
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
            }
        )
        self._reader.subscribe(topics)
        self.settled = 0

    def turn(self) -> None:
        for message in self._reader.consume(1000, 0.05):
            if message.error() is None:
                self.settled += 1

    def close(self) -> None:
        self._reader.close()


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def run(told: argparse.Namespace, kafka: KafkaContainer, folder: Path) -> int:
    randomly = random.Random(told.seed)
    tag = uuid.uuid4().hex[:8]
    topics = {name: f"{name}-{tag}" for name in ("metrics", "forecasts", "dead-letters")}
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    made = admin.create_topics([NewTopic(topic, PARTITIONS) for topic in topics.values()])
    for done in made.values():
        done.result(20)
    port = free_port()
    function = Victim("function", [str(HERE / "function.py"), str(port)], folder / "function.log")
    consumers = [consumer(name, told, kafka, topics, tag, port, folder) for name in ("one", "two")]
    for victim in (function, *consumers):
        victim.start()
    load = Load(kafka.bootstrap_servers, topics["metrics"], told.rate, randomly, folder / "produced.jsonl")
    progress = Progress(kafka.bootstrap_servers, [topics["forecasts"], topics["dead-letters"]])
    load.start()
    slowest_s, settled_s = 0.0, time.monotonic()
    try:
        kills = 0
        next_at = told.spacing
        while True:
            before = progress.settled
            progress.turn()
            if progress.settled > before:
                slowest_s, settled_s = max(slowest_s, time.monotonic() - settled_s), time.monotonic()
            for victim in (function, *consumers):  # as a supervisor would, but not to the same crash
                if victim.process is not None and victim.process.poll() is not None:
                    say(f"{victim.name} ended with {victim.process.returncode}; it is started again")
                    victim.words = without_crash(victim.words)
                    victim.start()
            if progress.settled >= next_at and kills < told.kills:
                kills += 1
                kind = randomly.choices(KINDS, WEIGHTS)[0] if not told.only else told.only
                say(f"{kills}/{told.kills} at {progress.settled} of {load.produced}: {kind}")
                strike(kind, randomly.choice(consumers), function, kafka)
                next_at = progress.settled + randomly.randint(told.spacing // 2, told.spacing * 3 // 2)
            if kills >= told.kills and progress.settled >= max(next_at, told.events):
                load.enough.set()
            frozen = [victim.is_frozen() for victim in consumers]
            if load.enough.is_set() and not any(frozen) and is_drained(load, progress):
                break
            if time.monotonic() - settled_s > told.patience:
                say(f"no output for {told.patience:g} s")
                break
        load.enough.set()
        load.join(60)
        for victim in consumers:
            victim.signal(signal.SIGTERM)
        for victim in consumers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                victim.process.wait(15)  # type: ignore[union-attr]
    finally:
        progress.close()
        for victim in (function, *consumers):
            victim.kill()
    say(f"{kills} kills; the longest time without output was {slowest_s:.1f} s")
    words = [
        str(folder / "produced.jsonl"),
        kafka.bootstrap_servers,
        topics["forecasts"],
        topics["dead-letters"],
    ]
    return subprocess.run([sys.executable, str(HERE / "check.py"), *words], check=False).returncode


def without_crash(words: list[str]) -> list[str]:
    at = next((at for at, word in enumerate(words) if word in ("--crash", "--freeze")), len(words))
    return words[:at] + words[at + 2 :]


def is_drained(load: Load, progress: Progress) -> bool:
    """All is settled, and a moment later nothing more came: repeats would show."""
    if load.is_alive() or progress.settled < load.produced:
        return False
    until_s = time.monotonic() + 2.0
    while time.monotonic() < until_s:
        progress.turn()
    return True


def consumer(
    name: str,
    told: argparse.Namespace,
    kafka: KafkaContainer,
    topics: dict[str, str],
    tag: str,
    port: int,
    folder: Path,
) -> Victim:
    words = [str(HERE / "consumer.py")]
    words += ["--bug", told.bug] if told.bug else []
    if name == "one":
        words += ["--crash", told.crash] if told.crash else []
        words += ["--freeze", told.freeze] if told.freeze else []
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "KAFKA__GROUP_ID": f"chaos-{tag}",
        "KAFKA__INSTANCE": name,
        "KAFKA__INPUT_TOPICS": topics["metrics"],
        "KAFKA__OUTPUT_TOPIC": topics["forecasts"],
        "KAFKA__DEAD_LETTER_TOPIC": topics["dead-letters"],
        "FN__URL": f"http://127.0.0.1:{port}",
        "FN__BATCH_EVENTS": "16",
        "FN__MAX_ATTEMPTS": "3",
    }
    variables = {f"FNCAST_{key}": value for key, value in settings.items()}
    return Victim(name, [*words, "consume", "--port", "0"], folder / f"{name}.log", variables)


def strike(kind: str, victim: Victim, function: Victim, kafka: KafkaContainer) -> None:
    if kind == "consumer":
        victim.kill()
    elif kind == "function":
        function.kill()
    elif kind == "away":
        function.signal(signal.SIGSTOP)
        threading.Timer(AWAY_S, lambda: function.signal(signal.SIGCONT)).start()
    elif kind == "freeze":
        victim.signal(signal.SIGSTOP)
    else:
        kafka.kill()
        kafka.start()


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill parts of a running fncast, then count.")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=300.0, help="events a second")
    parser.add_argument("--spacing", type=int, default=600, help="settled inputs between kills, about")
    parser.add_argument("--events", type=int, default=0, help="at least so many")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, help="seconds without output that end the run"
    )
    parser.add_argument("--only", choices=KINDS, help="one kind of victim")
    parser.add_argument("--bug", help="a deliberate bug: see consumer.py")
    parser.add_argument("--crash", help="POINT:N, of one consumer: see consumer.py")
    parser.add_argument("--freeze", help="POINT:N, likewise")
    told = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))  # so that nothing is left behind
    kafka = KafkaContainer()
    try:
        with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
            return run(told, kafka, Path(folder))
    finally:
        kafka.close()


if __name__ == "__main__":
    sys.exit(main())
