"""Reads what a pipeline made of the load: how fast, how late, and whether all of it, once and in order."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from benchmarks.broker import PARTITIONS

STALLED_S = 60.0  # no new forecast for so long: it will not come any more
LOOK_S = 0.02
# After the last record, and where some are missing: all have been written when reading begins.
QUIET_S, MISSING_S = 0.3, 3.0


@dataclass(frozen=True)
class Measured:
    """Of one run. rate: forecasts a second from the first to the last. delays_s: ascending, record in to record out."""

    forecasts: int
    rate: float
    delays_s: list[float]
    lost: int
    doubled: int
    disordered: int

    @property
    def is_right(self) -> bool:
        return not (self.lost or self.doubled or self.disordered)

    def delay_ms(self, share: float) -> float:
        """A percentile, by nearest rank."""
        if not self.delays_s:
            return float("nan")
        return self.delays_s[min(len(self.delays_s) - 1, int(share * len(self.delays_s)))] * 1000


class Meter:
    """Follows the output topic by its end offsets, and reads it only when all is there: no CPU taken meanwhile."""

    def __init__(self, servers: str, input_topic: str, output_topic: str) -> None:
        self._input_topic = input_topic
        self._output_topic = output_topic
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": f"meter-{output_topic}",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 10,
            }
        )

    def wait(self, count: int, alive: Callable[[], None]) -> int:
        """Until the output holds `count` records or nothing more comes. alive: raises if the pipeline is gone.

        Returns how many it holds.
        """
        found, changed_s = 0, time.monotonic()
        while found < count and time.monotonic() - changed_s < STALLED_S:
            alive()
            now = sum(
                self._consumer.get_watermark_offsets(TopicPartition(self._output_topic, number), timeout=10)[
                    1
                ]
                for number in range(PARTITIONS)
            )
            if now != found:
                found, changed_s = now, time.monotonic()
            time.sleep(LOOK_S)
        return found

    def measure(self, count: int, skip: int = 0) -> Measured:
        """Compare the output with the `count` events of the input. skip: so many are left out of the delays."""
        inputs = {_header(m, "ce_id"): m for m in self._read(self._input_topic, count)}
        outputs = self._read(self._output_topic, count)
        causes = [_header(m, "ce_causationid") for m in outputs]
        times = Counter(causes)
        seconds = sorted(_seconds(m) for m in outputs)
        elapsed_s = seconds[-1] - seconds[0] if len(seconds) > 1 else 0.0
        first = dict(zip(reversed(causes), reversed(outputs), strict=True))
        timed = sorted(inputs)[skip:]
        delays = sorted(_seconds(first[cause]) - _seconds(inputs[cause]) for cause in timed if cause in first)
        return Measured(
            forecasts=len(outputs),
            rate=(len(seconds) - 1) / elapsed_s if elapsed_s > 0 else float("nan"),
            delays_s=delays,
            lost=sum(cause not in times for cause in inputs),
            doubled=len(outputs) - len(times),
            disordered=_disordered(outputs),
        )

    def close(self) -> None:
        self._consumer.close()

    def _read(self, topic: str, count: int) -> list[Message]:
        """All records of a topic, by their headers; beyond `count` only what comes at once."""
        self._consumer.assign(
            [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)]
        )
        found: list[Message] = []
        quiet_s = time.monotonic()
        while time.monotonic() - quiet_s < (QUIET_S if len(found) >= count else MISSING_S):
            batch = [m for m in self._consumer.consume(1000, 0.1) if m.error() is None]
            if batch:
                found += batch
                quiet_s = time.monotonic()
        return found


def _disordered(outputs: list[Message]) -> int:
    """Records whose cause came before that of an earlier record of their key; ids ascend in the input."""
    last: dict[bytes | None, str] = {}
    disordered = 0
    for message in sorted(outputs, key=lambda m: (m.partition() or 0, m.offset() or 0)):
        key, cause = message.key(), _header(message, "ce_causationid")
        disordered += cause < last.get(key, "")
        last[key] = max(cause, last.get(key, ""))
    return disordered


def _header(message: Message, name: str) -> str:
    value = dict(message.headers() or []).get(name)
    return value.decode() if isinstance(value, bytes) else ""


def _seconds(message: Message) -> float:
    return message.timestamp()[1] / 1000
