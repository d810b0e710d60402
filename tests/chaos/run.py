"""The chaos run: a steady load and a schedule of faults. At the end, the checker decides.

usage: run.py --help

Faults: a consumer is killed, killed and away for 45 s, or frozen longer than its session. A function process, the
function host, the model service or a broker is killed; a broker is also restarted. Between them the function host is
away for 15 s, and one more consumer joins and leaves for 15 s. On a cluster also: connections are cut or stalled, a
broker is paused, all brokers are restarted one after the other, a consumer gets SIGTERM while a broker is paused.
A killed single broker loses what docs/delivery.md describes: use a cluster for that.

Prints the checker's JSON. Exit code: the checker's; or 1 if a partition had no output for longer than FLOW_S after a
fault of a consumer, or a stop took longer than STOP_S; or 2 if the run did not do what its options ask for.
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
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "integration" / "lib"))
sys.path.insert(1, str(HERE.parents[1]))  # for `tests`

from broker import broker  # noqa: E402
from broker_faults import BrokerFaults  # noqa: E402
from check import SHOWN, absent, read  # noqa: E402
from faults import JOIN_S, JOINED, FaultInjector, schedule  # noqa: E402
from kafka_cluster import KafkaCluster  # noqa: E402
from kafka_container import KafkaContainer  # noqa: E402
from load import Load  # noqa: E402
from options import parse_options  # noqa: E402
from progress import Progress  # noqa: E402
from readings import ReadingsLoad  # noqa: E402
from supervised_process import log_line  # noqa: E402
from system import System, make_model  # noqa: E402

# By fault. The transaction of a frozen consumer delays readers until it times out (10 s) and the broker checks for
# such transactions (every 10 s). The transaction of a killed consumer is aborted when the consumer starts again.
FLOW_S = {"consumer": 25.0, "gone": 45.0, "freeze": 45.0}
STOP_S = 5.0  # from SIGTERM to the end, also without brokers
LINES_SHOWN = 60  # of each log, after a run that failed
# Texts in a broker's log: it stops, it has started, it skips markers of transactions (see docs/delivery.md).
BROKER_SIGNS = ("Terminating process", "has been unfenced", "find leader endpoint")
STILL_S = 2.0  # without new output after the last outcome, so that repeated outcomes would be read


class Run:
    """One chaos run. Call it once."""

    def __init__(
        self, options: argparse.Namespace, kafka: KafkaContainer | KafkaCluster, models: Path, folder: Path
    ) -> None:
        self._options, self._kafka, self._folder = options, kafka, folder
        self._started_s = time.monotonic()
        self._is_frozen_once = self._has_given_up = False
        self._absent: int | None = None
        rng = random.Random(options.seed)
        self.system = System(options, kafka, models, folder)
        self.system.create_topics()
        servers = kafka.bootstrap_servers
        load = ReadingsLoad if options.readings else Load
        self._load = load(servers, self.system.metrics, options.rate, rng, folder / "produced.jsonl")
        self._progress = Progress(servers, self.system.forecasts, self.system.dead_letters)
        random_kinds = schedule(options.kills, rng, is_cluster=options.cluster)
        kinds = options.schedule.split(",") if options.schedule else list(random_kinds)
        self._brokers = BrokerFaults(kafka, self.system, random.Random(options.seed))
        self._faults = FaultInjector(
            kinds, options.spacing, self.system, self._brokers, self._progress, random.Random(options.seed)
        )

    def __call__(self) -> int:
        """Run to the end, and check. Returns the exit code."""
        try:
            self._start()
            while not self._advance():
                pass
            self._load.enough.set()
            self._load.join(60)
            work = self.system.work()
            for consumer in self.system.consumers:
                consumer.end()
        finally:
            self._load.enough.set()
            self._progress.close()
            for process in (*self.system.all, self.system.joining):
                process.kill()
        code, summary = self._checked()
        if code or self._has_given_up:
            self._print_reason()
        summary |= {
            "kills": self._faults.kills,
            "proxy_faults": self._faults.proxy_faults,
            "longest_stop_s": round(self._brokers.longest_stop_s, 1),
            "seconds": round(time.monotonic() - self._started_s),
            "longest_silence_s": round(self._progress.slowest_s, 1),
            "longest_until_flow_s": {k: round(v, 1) for k, v in self._progress.slowest_flow_s.items()},
            "work": work,
            "ends": {each.name: sorted(set(each.ends)) for each in self.system.all if each.ends},
        }
        print(json.dumps(summary), flush=True)
        if (self._options.crash or self._options.freeze) and not self._has_reached_point():
            log_line("the point was never reached")
            return 2
        flows_s = self._progress.slowest_flow_s
        slow = {kind for kind, seconds in flows_s.items() if seconds > FLOW_S[kind] * self._options.slack}
        if slow or self._progress.flow_s is not None:
            log_line(f"a partition flowed again too late: {', '.join(sorted(slow)) or 'not at all'}")
            return 1
        if self._brokers.longest_stop_s > STOP_S * self._options.slack:
            log_line("a stop took too long")
            return 1
        return code or (2 if self._has_given_up else 0)

    def _start(self) -> None:
        """Start all processes and the load.

        If the crash is at a revoke, the first consumer gets all partitions before the others join, so it must give
        some up.
        """
        is_at_revoke = self._options.crash.startswith("during-revoke")
        late = self.system.consumers[1:] if is_at_revoke else []
        for process in self.system.all:
            if process not in late:
                process.start()
        until_s = time.monotonic() + JOIN_S
        while late and not self.system.consumers[0].has_logged(JOINED) and time.monotonic() < until_s:
            time.sleep(0.1)
        self._load.start()
        for process in late:
            process.start()

    def _advance(self) -> bool:
        """Read outcomes, restart processes, inject faults. Returns whether the run is over."""
        self._progress.read()
        self._load.settled = self._progress.settled
        for process in self.system.all:
            process.supervise()
        frozen = [consumer.thaw() for consumer in self.system.consumers]
        self._is_frozen_once |= any(frozen)
        if time.monotonic() - self._started_s > self._options.within:
            self._faults.stop()
        self._faults.advance(self._load.produced)
        has_reached_point = not (self._options.crash or self._options.freeze) or self._has_reached_point()
        is_enough = (
            self._faults.is_finished and has_reached_point and self._progress.settled >= self._options.events
        )
        if is_enough and (not self._options.all_work or all(self.system.work().values())):
            self._load.enough.set()
        if self._load.enough.is_set() and not any(frozen) and self._is_drained():
            return True
        patience_s = self._options.patience * self._options.slack
        if self._progress.idle_s > patience_s:
            log_line(f"no output for {patience_s:g} s")
            self._has_given_up = True
            for consumer in self.system.consumers:
                consumer.signal(signal.SIGUSR2)
            return True
        return False

    def _print_reason(self) -> None:
        """Log the consumers' last lines, and the broker's lines about its stops and starts."""
        log = self._kafka.log()
        (self._folder / "kafka.log").write_text(log)
        shown = {"kafka": [line for line in log.splitlines() if any(sign in line for sign in BROKER_SIGNS)]}
        for consumer in self.system.consumers:
            shown[consumer.name] = consumer.log.read_text("utf-8", "replace").splitlines()
        for name, lines in shown.items():
            for line in lines[-LINES_SHOWN:]:
                log_line(f"{name}: {line}")

    def _has_reached_point(self) -> bool:
        return (
            self._is_frozen_once if self._options.freeze else -signal.SIGKILL in self.system.consumers[0].ends
        )

    def _is_drained(self) -> bool:
        if self._load.is_alive():
            return False
        wanted = self._load.acknowledged - self._count_absent()
        if len(self._progress.ids - self._load.doubtful) < wanted:
            return False
        until_s = time.monotonic() + STILL_S
        while time.monotonic() < until_s:
            self._progress.read()
        return True

    def _count_absent(self) -> int:
        """Return how many acknowledged events are not in the input topic. Call it after the load."""
        if self._absent is None and self._options.readings:
            self._absent = 0
        if self._absent is None:
            lines = (self._folder / "produced.jsonl").read_text().splitlines()
            inputs = read(self._kafka.bootstrap_servers, self.system.metrics, "ce_id")
            found = absent([json.loads(line) for line in lines], Counter(id_ for _, id_, _ in inputs))
            if found:
                log_line(
                    f"the input topic lacks {len(found)} acknowledged events: {', '.join(found[:SHOWN])}"
                )
            self._absent = len(found)
        return self._absent

    def _checked(self) -> tuple[int, dict[str, object]]:
        arguments = [
            str(self._folder / "produced.jsonl"),
            self._kafka.bootstrap_servers,
            self.system.metrics,
            self.system.forecasts,
            self.system.dead_letters,
        ]
        checker = "check_readings.py" if self._options.readings else "check.py"
        done = subprocess.run(
            [sys.executable, str(HERE / checker), *arguments],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        return done.returncode, json.loads(done.stdout or '{"checker": "failed"}')


def main() -> int:
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))  # so that processes and containers are ended
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        models = options.models or folder / "models"
        if not (models / "forecast").is_dir():
            make_model(models)
        kafka = stack.enter_context(broker(options))
        return Run(options, kafka, models, options.logs or folder)()


if __name__ == "__main__":
    sys.exit(main())
