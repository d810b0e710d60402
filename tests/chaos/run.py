"""The chaos run: a steady load, and a schedule of kills by progress; then the checker decides.

usage: run.py [--cluster] [--kills 30] [--seed 0] [--rate 200] [--schedule consumer,away,…]
              [--bug BUG] [--crash POINT:N] …

Victims: one of the consumers (kill -9, kill -9 and away for 45 s, or frozen past its session and continued), a process
of the function, the function host, the model service, a broker (restarted, or killed and back). In between the function
host is away for 15 s, and one more consumer joins and leaves for 15 s. On a cluster also: connections are cut, or
stalled, a broker is paused, all are restarted one after another, a consumer gets SIGTERM while a broker is paused.
A single broker that is killed loses what docs/delivery.md says: use a cluster for that. Prints the checker's JSON. Exit
code: the checker's, or 1 where a partition flowed again later than FLOW_S after a consumer was struck, or a stop took
longer than STOP_S, or 2 where the run did not do what was told.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "integration"))

from brokers import Brokers  # noqa: E402
from kafka_cluster import KafkaCluster  # noqa: E402
from kafka_container import KafkaContainer  # noqa: E402
from load import Load  # noqa: E402
from parts import Parts, make_model  # noqa: E402
from progress import Progress  # noqa: E402
from strikes import JOIN_S, JOINED, KINDS, Strikes, schedule  # noqa: E402
from victim import say  # noqa: E402

PATIENCE_S = 120.0
# By what was struck. A frozen consumer's transaction holds readers up until it times out (10 s) and the broker looks
# for such (every 10 s); a killed one's is aborted as soon as it is started again.
FLOW_S = {"consumer": 25.0, "gone": 45.0, "freeze": 45.0}
STOP_S = 5.0  # from SIGTERM to the end, whatever the brokers do
LINES_TOLD = 60  # of each log, after a run that failed
# That it stops, is there again, and leaves out the markers of transactions (see docs/delivery.md).
BROKER_SIGNS = ("Terminating process", "has been unfenced", "find leader endpoint")
STILL_S = 2.0  # all is settled, and in so long nothing more came: repeats would show


class Run:
    def __init__(
        self, told: argparse.Namespace, kafka: KafkaContainer | KafkaCluster, models: Path, folder: Path
    ) -> None:
        self._options, self._kafka, self._folder = told, kafka, folder
        self._started_s = time.monotonic()
        self._is_frozen_once = self._has_given_up = False
        randomly = random.Random(told.seed)
        self.parts = Parts(told, kafka, models, folder)
        self.parts.make_topics()
        servers = kafka.bootstrap_servers
        self._load = Load(servers, self.parts.metrics, told.rate, randomly, folder / "produced.jsonl")
        self._progress = Progress(servers, self.parts.forecasts, self.parts.dead_letters)
        drawn = schedule(told.kills, randomly, is_cluster=told.cluster)
        kinds = told.schedule.split(",") if told.schedule else list(drawn)
        self._brokers = Brokers(kafka, self.parts, random.Random(told.seed))
        self._strikes = Strikes(
            kinds, told.spacing, self.parts, self._brokers, self._progress, random.Random(told.seed)
        )

    def __call__(self) -> int:
        """Run to the end, and count. Returns the exit code."""
        try:
            self._start()
            while not self._turn():
                pass
            self._load.enough.set()
            self._load.join(60)
            work = self.parts.work()
            for consumer in self.parts.consumers:
                consumer.end()
        finally:
            self._load.enough.set()
            self._progress.close()
            for victim in (*self.parts.all, self.parts.joining):
                victim.kill()
        code, summary = self._checked()
        if code or self._has_given_up:
            self._print_reason()
        summary |= {
            "kills": self._strikes.kills,
            "proxy_faults": self._strikes.proxy_faults,
            "longest_stop_s": round(self._brokers.longest_stop_s, 1),
            "seconds": round(time.monotonic() - self._started_s),
            "longest_silence_s": round(self._progress.slowest_s, 1),
            "longest_until_flow_s": {k: round(v, 1) for k, v in self._progress.slowest_flow_s.items()},
            "work": work,
            "ends": {victim.name: sorted(set(victim.ends)) for victim in self.parts.all if victim.ends},
        }
        print(json.dumps(summary), flush=True)
        if (self._options.crash or self._options.freeze) and not self._was_struck():
            say("the point was never reached")
            return 2
        flows_s = self._progress.slowest_flow_s
        slow = {kind for kind, seconds in flows_s.items() if seconds > FLOW_S[kind] * self._options.slack}
        if slow or self._progress.flow_s is not None:
            say(f"a partition flowed again too late: {', '.join(sorted(slow)) or 'not at all'}")
            return 1
        if self._brokers.longest_stop_s > STOP_S * self._options.slack:
            say("a stop took too long")
            return 1
        return code or (2 if self._has_given_up else 0)

    def _start(self) -> None:
        """Start all parts and the load.

        A consumer that is to be struck at a revoke has all partitions when the others join, and so must give some up.
        """
        late = self.parts.consumers[1:] if self._options.crash.startswith("during-revoke") else []
        for victim in self.parts.all:
            if victim not in late:
                victim.start()
        until_s = time.monotonic() + JOIN_S
        while late and not self.parts.consumers[0].has_logged(JOINED) and time.monotonic() < until_s:
            time.sleep(0.1)
        self._load.start()
        for victim in late:
            victim.start()

    def _turn(self) -> bool:
        """Returns whether the run is over."""
        self._progress.turn()
        self._load.settled = self._progress.settled
        for victim in self.parts.all:
            victim.supervise()
        frozen = [consumer.thaw() for consumer in self.parts.consumers]
        self._is_frozen_once |= any(frozen)
        if time.monotonic() - self._started_s > self._options.within:
            self._strikes.stop()
        self._strikes.turn(self._load.produced)
        is_struck = not (self._options.crash or self._options.freeze) or self._was_struck()
        is_enough = self._strikes.are_over and is_struck and self._progress.settled >= self._options.events
        if is_enough and (not self._options.all_work or all(self.parts.work().values())):
            self._load.enough.set()
        if self._load.enough.is_set() and not any(frozen) and self._is_drained():
            return True
        patience_s = self._options.patience * self._options.slack
        if self._progress.idle_s > patience_s:
            say(f"no output for {patience_s:g} s")
            self._has_given_up = True
            for consumer in self.parts.consumers:
                consumer.signal(signal.SIGUSR2)
            return True
        return False

    def _print_reason(self) -> None:
        """What is gone with the run: the consumers' last lines, and what the broker says of its ends and starts."""
        log = self._kafka.log()
        (self._folder / "kafka.log").write_text(log)
        told = {"kafka": [line for line in log.splitlines() if any(sign in line for sign in BROKER_SIGNS)]}
        for consumer in self.parts.consumers:
            told[consumer.name] = consumer.log.read_text("utf-8", "replace").splitlines()
        for name, lines in told.items():
            for line in lines[-LINES_TOLD:]:
                say(f"{name}: {line}")

    def _was_struck(self) -> bool:
        return (
            self._is_frozen_once if self._options.freeze else -signal.SIGKILL in self.parts.consumers[0].ends
        )

    def _is_drained(self) -> bool:
        if self._load.is_alive() or len(self._progress.ids - self._load.doubtful) < self._load.acknowledged:
            return False
        until_s = time.monotonic() + STILL_S
        while time.monotonic() < until_s:
            self._progress.turn()
        return True

    def _checked(self) -> tuple[int, dict[str, object]]:
        words = [
            str(self._folder / "produced.jsonl"),
            self._kafka.bootstrap_servers,
            self.parts.metrics,
            self.parts.forecasts,
            self.parts.dead_letters,
        ]
        done = subprocess.run(
            [sys.executable, str(HERE / "check.py"), *words], stdout=subprocess.PIPE, text=True, check=False
        )
        return done.returncode, json.loads(done.stdout or '{"checker": "failed"}')


@contextlib.contextmanager
def broker(told: argparse.Namespace) -> Iterator[KafkaContainer | KafkaCluster]:
    """The container that was named, or one of its own, or three."""
    if told.container:
        yield KafkaContainer.attach(told.container, told.bootstrap_servers)
        return
    kafka = KafkaCluster() if told.cluster else KafkaContainer()
    try:
        yield kafka
    finally:
        kafka.close()


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill parts of a running fncast, then count.")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=200.0, help="events a second")
    parser.add_argument("--spacing", type=int, default=400, help="settled inputs between strikes, about")
    parser.add_argument("--events", type=int, default=0, help="at least so many")
    parser.add_argument("--all-work", action="store_true", help="go on until every part has had some")
    parser.add_argument("--within", type=float, default=float("inf"), help="seconds; no strike after them")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, help="seconds without output that end the run"
    )
    parser.add_argument("--schedule", default="", help=f"strikes in this order, of {', '.join(KINDS)}")
    parser.add_argument("--protocol", choices=("classic", "consumer"), default="classic", help="of the group")
    parser.add_argument("--consumers", type=int, default=2)
    parser.add_argument("--hosts", type=int, default=1, help="function hosts, shared out among the consumers")
    parser.add_argument("--model-services", type=int, default=1, help="each host knows all of them")
    parser.add_argument("--bug", help="a deliberate bug: see consumer.py")
    parser.add_argument("--crash", default="", help="POINT:N, of one consumer: see consumer.py")
    parser.add_argument("--freeze", default="", help="POINT:N, likewise")
    parser.add_argument(
        "--gone", action="store_true", help="who crashed at a point is not started again for 45 s"
    )
    parser.add_argument("--slack", type=float, default=1.0, help="times as long as usual, of a busy machine")
    parser.add_argument("--cluster", action="store_true", help="three brokers behind proxies, instead of one")
    parser.add_argument("--container", default="", help="id of a Kafka container that runs already")
    parser.add_argument("--bootstrap-servers", default="", help="its address")
    parser.add_argument("--models", type=Path, help="a folder that an earlier run made")
    parser.add_argument("--logs", type=Path, help="an existing folder for logs, which stay then")
    told = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))  # so that nothing is left behind
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        models = told.models or folder / "models"
        if not (models / "forecast").is_dir():
            make_model(models)
        kafka = stack.enter_context(broker(told))
        return Run(told, kafka, models, told.logs or folder)()


if __name__ == "__main__":
    sys.exit(main())
