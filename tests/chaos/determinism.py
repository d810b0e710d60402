"""Runs one recorded topic in several ways, and compares the forecasts byte by byte.

usage: determinism.py [--kills 50] [--steps 120] [--copies 4] [--seed 0] [--ways full,slow,one,many,three,kills]
                      [--bootstrap-servers HOST:PORT]

The topics hold ten kinds of series: late, repeated, out of order, with gaps, counters with resets and others, as single
readings and as aggregated steps. The ways: at full speed; slowly; in batches of 1 and of 500 records; with three
consumers; with two consumers that are killed. Each is a group with separate topics. The function returns the window,
so that each forecast shows it. A plain reference that shares no code with the product computes each window from the
input topics alone.

Prints one JSON object. Exit code 0 if all forecasts are those of the reference, in order and once, and all ways have
the same bytes; else 1.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent / "integration" / "lib")]
sys.path.insert(1, str(HERE.parents[1]))  # for `tests`

from confluent_kafka import Consumer, TopicPartition  # noqa: E402
from consumer_process import ConsumerProcess  # noqa: E402
from fake_function import Function, works  # noqa: E402
from kafka_container import PARTITIONS, KafkaContainer  # noqa: E402
from recorded_readings import CONFIG, Window  # noqa: E402
from recording import Recording  # noqa: E402
from supervised_process import log_line  # noqa: E402
from testbed import DeliveryTestbed  # noqa: E402

PATIENCE_S = 300.0  # without a new forecast, then the run fails
STILL_S = 3.0  # after the last forecast, so that a repeated one would be read
SLOW_CALL_S = 0.05
MAX_ENDED = 5  # consumers that may end by themselves
LOG_CHARACTERS = 3000  # at the end of each of their logs
SLOWLY = {"FN__BATCH_EVENTS": "16", "FN__CALLS_IN_FLIGHT": "1"}
WAYS: dict[str, tuple[int, bool, dict[str, str]]] = {  # consumers, whether calls are slow, settings
    "full": (1, False, {}),
    "slow": (1, True, SLOWLY),
    "one": (1, False, {"FN__BATCH_EVENTS": "1"}),
    "many": (1, False, {"FN__BATCH_EVENTS": "500"}),
    "three": (3, False, {}),
    "kills": (2, True, SLOWLY),
}
Forecasts = dict[str, list[tuple[Any, bytes]]]  # by series, headers and value, in order


class Way:
    """One way to read the recording.

    killed: number of consumers killed so far. ended: logs of consumers that ended by themselves.
    """

    def __init__(self, name: str, servers: str, recording: Recording, folder: Path, kills: int) -> None:
        self._count, is_slow, settings = WAYS[name]
        self._name, self._recording, self._kills = name, recording, kills if name == "kills" else 0
        self.killed = 0
        self.ended: list[str] = []
        self._function = Function()
        if is_slow:
            self._function.behaviour = slowly
        self._testbed = DeliveryTestbed(servers, "exactly-once", self._function, folder)
        self._testbed.create_topics(*self._testbed.topics())
        self._config = folder / "fncast.toml"
        self._config.write_text(CONFIG.format(**recording.topics))
        self._testbed.variables = settings | {
            "KAFKA__INPUT_TOPICS": ",".join(recording.topics.values()),
            "KAFKA__STATE_TOPIC": f"state-{self._testbed.tag}",
            "KAFKA__STATIC_MEMBERSHIP": "true",  # so that a killed consumer gets its partitions back at once
        }
        self._reader: Consumer = self._testbed.reader()
        # Assigned, not subscribed: on a busy machine a member of a group can lose its partitions and read them again.
        self._reader.assign(
            [TopicPartition(self._testbed.forecasts, number, 0) for number in range(PARTITIONS)]
        )
        self._seen = 0
        self._moved_at_s = time.monotonic()

    def __call__(self) -> Forecasts:
        """Read the recording to its end. Returns the committed forecasts. Raises AssertionError if it stalls."""
        try:
            consumers = [self._start(number) for number in range(self._count)]
            wanted = self._recording.windows
            while self._seen < wanted:
                self._read()
                if self.killed < self._kills and self._seen >= wanted * self.killed // self._kills:
                    number = self.killed % self._count
                    consumers[number].kill()
                    consumers[number] = self._start(number)
                    self.killed += 1
                waited_s = time.monotonic() - self._moved_at_s
                for number, consumer in enumerate(consumers):
                    if consumer.process.poll() is not None:  # as a supervisor would do
                        self.ended.append(consumer.log()[-LOG_CHARACTERS:])
                        assert len(self.ended) <= MAX_ENDED, self.ended
                        consumers[number] = self._start(number)
                logs = [consumer.log()[-LOG_CHARACTERS:] for consumer in consumers]
                assert waited_s < PATIENCE_S, f"{self._seen} of {wanted} forecasts: {logs}"
            until_s = time.monotonic() + STILL_S
            while time.monotonic() < until_s:
                self._read()
            return self._forecasts()
        finally:
            self._reader.close()
            self._testbed.close()
            self._function.close()

    def _start(self, number: int) -> ConsumerProcess:
        return self._testbed.consume(f"{self._name}-{number}", self._config)

    def _read(self) -> None:
        messages = [message for message in self._reader.consume(1000, 0.1) if message.error() is None]
        if messages:
            self._seen += len(messages)
            self._moved_at_s = time.monotonic()

    def _forecasts(self) -> Forecasts:
        assert self._testbed.read_all(self._testbed.dead) == []
        names = {topic: kind for kind, topic in self._recording.topics.items()}
        found: Forecasts = {}
        for message in self._testbed.read_all(self._testbed.forecasts):
            headers = dict(message.headers())
            kind = names[headers["ce_causationsource"].decode().removeprefix("kafka:")]
            found.setdefault(f"{kind} {message.key().decode()}", []).append(
                (message.headers(), message.value())
            )
        return found


async def slowly(events: list[dict[str, Any]]) -> Any:
    """Answer as `works` does, after SLOW_CALL_S."""
    await asyncio.sleep(SLOW_CALL_S)
    return await works(events)


def windows_of(forecasts: Forecasts) -> dict[str, list[tuple[str, Window]]]:
    """Return the ids and windows of each series, as the function got them."""
    found: dict[str, list[tuple[str, Window]]] = {}
    for series, entries in forecasts.items():
        for headers, value in entries:
            seen = json.loads(value)["seen"]
            id_ = dict(headers)["ce_causationid"].decode()
            found.setdefault(series, []).append((id_, (seen["start"], seen["values"])))
    return found


def differences(left: dict[str, Any], right: dict[str, Any]) -> list[str]:
    """Return the names of the series whose entries differ."""
    return sorted(series for series in left.keys() | right.keys() if left.get(series) != right.get(series))


@contextlib.contextmanager
def broker(options: argparse.Namespace) -> Iterator[str]:
    """Yield the address of the broker in the options, or of a new one."""
    if options.bootstrap_servers:
        yield options.bootstrap_servers
        return
    kafka = KafkaContainer()
    try:
        yield kafka.bootstrap_servers
    finally:
        kafka.close()


def parse_options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--copies", type=int, default=4, help="series of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument(
        "--bootstrap-servers", default="", help="of a running Kafka; default: a new container"
    )
    return parser.parse_args()


def record(servers: str, options: argparse.Namespace, folder: Path) -> Recording:
    """Write the recording to the broker."""
    function = Function()
    try:
        return Recording(DeliveryTestbed(servers, "exactly-once", function, folder), options)
    finally:
        function.close()


def main() -> int:
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))  # so that processes and containers are ended
    with broker(options) as servers, tempfile.TemporaryDirectory(prefix="determinism-") as folder:
        recording = record(servers, options, Path(folder))
        summary: dict[str, Any] = {
            "records": recording.records,
            "series": len(recording.expected),
            "windows": recording.windows,
        }
        first: Forecasts | None = None
        wrong = 0
        for name in options.ways.split(","):
            began_s = time.monotonic()
            way = Way(name, servers, recording, Path(folder), options.kills)
            forecasts = way()
            first = forecasts if first is None else first
            unlike = differences(windows_of(forecasts), recording.expected)
            other_bytes = differences(forecasts, first)
            wrong += len(unlike) + len(other_bytes)
            summary[name] = {
                "forecasts": sum(map(len, forecasts.values())),
                "kills": way.killed,
                "ended": way.ended,
                "seconds": round(time.monotonic() - began_s),
                "series_unlike_the_reference": unlike[:5],
                "series_with_other_bytes": other_bytes[:5],
            }
            log_line(f"{name}: {json.dumps(summary[name])}")
        print(json.dumps(summary))
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
