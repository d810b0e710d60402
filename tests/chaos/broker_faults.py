"""Faults of brokers and of the connections to them, one at a time.

Faults of a cluster happen in a thread while the run continues. The run waits for the restart of a single broker.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable

from kafka_cluster import KafkaCluster
from kafka_container import KafkaContainer, paused
from supervised_process import log_line
from system import System

PAUSE_S = 15.0  # longer than the session of a broker, 9 s
SHORT_PAUSE_S = 6.0
STALLS_S = (3.0, 15.0)  # shorter and longer than a transaction's time-out
CUTS = 3
CUT_EVERY_S = 0.7
CLUSTER_FAULTS = ("broker", "broker-kill", "pause", "roll", "cut", "stall", "stop-paused")


class BrokerFaults:
    """Injects faults of brokers.

    longest_stop_s: the longest time from SIGTERM to the end of a consumer while a broker was paused.
    """

    def __init__(self, kafka: KafkaContainer | KafkaCluster, system: System, rng: random.Random) -> None:
        self._kafka, self._system, self._random = kafka, system, rng
        self._fault: threading.Thread | None = None
        self._failure: BaseException | None = None
        self.longest_stop_s = 0.0

    @property
    def is_active(self) -> bool:
        """Whether a fault lasts, or replicas are not in sync yet. Raises the exception that ended a fault's thread."""
        if self._failure is not None:
            raise self._failure
        return self._fault is not None and self._fault.is_alive()

    def inject(self, kind: str) -> None:
        """Begin a fault of this kind."""
        kafka = self._kafka
        if isinstance(kafka, KafkaContainer):
            self._restart_single(kafka, kind)
            return
        call = {
            "broker": lambda: kafka.restart(self._node(kafka)),
            "broker-kill": lambda: kafka.restart(self._node(kafka), is_killed=True),
            "pause": lambda: self._paused(kafka, lambda: time.sleep(PAUSE_S)),
            "stop-paused": lambda: self._paused(kafka, self._stop_a_consumer),
            "roll": kafka.roll,
            "cut": lambda: self._cut(kafka),
            "stall": lambda: self._stall(kafka),
        }[kind]

        def run() -> None:
            began_s = time.monotonic()
            try:
                call()
                kafka.wait()
            except BaseException as error:
                self._failure = error
            log_line(f"{kind} is over {time.monotonic() - began_s:.1f} s later")

        self._fault = threading.Thread(target=run, daemon=True)
        self._fault.start()

    def _restart_single(self, kafka: KafkaContainer, kind: str) -> None:
        if kind == "broker-kill":
            kafka.kill()
        else:
            kafka.stop()
        kafka.start()

    def _node(self, kafka: KafkaCluster):
        return self._random.choice(kafka.nodes)

    def _choose_brokers(self, kafka: KafkaCluster) -> list[int]:
        """Return the numbers of all brokers or of one of them."""
        brokers = list(range(len(kafka.nodes)))
        return self._random.choice([brokers, [self._random.choice(brokers)]])

    def _paused(self, kafka: KafkaCluster, meanwhile: Callable[[], None]) -> None:
        with paused(self._node(kafka)):
            meanwhile()

    def _stop_a_consumer(self) -> None:
        time.sleep(self._random.uniform(0, SHORT_PAUSE_S))
        running = [
            consumer
            for consumer in self._system.consumers
            if consumer.process and consumer.process.poll() is None
        ]
        chosen = self._random.choice(running)
        process = chosen.process
        assert process is not None
        began_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        took_s = time.monotonic() - began_s
        log_line(f"{chosen.name} ended {took_s:.1f} s after SIGTERM")
        self.longest_stop_s = max(self.longest_stop_s, took_s)

    def _cut(self, kafka: KafkaCluster) -> None:
        for _ in range(CUTS):
            kafka.proxies.cut(self._choose_brokers(kafka))
            time.sleep(CUT_EVERY_S)

    def _stall(self, kafka: KafkaCluster) -> None:
        """Stall connections without closing them. Afterwards data arrives late, or the connections are cut."""
        brokers = self._choose_brokers(kafka)
        kafka.proxies.stall(brokers)
        time.sleep(self._random.choice(STALLS_S))
        if self._random.random() < 0.5:
            kafka.proxies.cut(brokers)
        kafka.proxies.resume()
