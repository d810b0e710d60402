"""What happens to brokers and to the way to them: one thing at a time, in a thread, so that the run goes on."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable

from kafka_cluster import KafkaCluster
from kafka_container import KafkaContainer, paused
from supervised_process import say
from system import Parts

PAUSE_S = 15.0  # past the session of a broker, 9 s
SHORT_PAUSE_S = 6.0
STALLS_S = (3.0, 15.0)  # shorter and longer than a transaction's time-out
CUTS = 3
CUT_EVERY_S = 0.7
SINGLE = ("broker", "broker-kill")
CLUSTER = (*SINGLE, "pause", "roll", "cut", "stall", "stop-paused")


class Brokers:
    """longest_stop_s: of a consumer that got SIGTERM while a broker was paused."""

    def __init__(self, kafka: KafkaContainer | KafkaCluster, parts: Parts, randomly: random.Random) -> None:
        self._kafka, self._parts, self._random = kafka, parts, randomly
        self._striking: threading.Thread | None = None
        self._failure: BaseException | None = None
        self.longest_stop_s = 0.0

    @property
    def is_striking(self) -> bool:
        """Also while replicas come into sync again. Raises what a strike raised."""
        if self._failure is not None:
            raise self._failure
        return self._striking is not None and self._striking.is_alive()

    def strike(self, kind: str) -> None:
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

        def strike() -> None:
            began_s = time.monotonic()
            try:
                call()
                kafka.wait()
            except BaseException as error:
                self._failure = error
            say(f"{kind} is over {time.monotonic() - began_s:.1f} s later")

        self._striking = threading.Thread(target=strike, daemon=True)
        self._striking.start()

    def _restart_single(self, kafka: KafkaContainer, kind: str) -> None:
        if kind == "broker-kill":
            kafka.kill()
        else:
            kafka.stop()
        kafka.start()

    def _node(self, kafka: KafkaCluster):
        return self._random.choice(kafka.nodes)

    def _some(self, kafka: KafkaCluster) -> list[int]:
        """The way to one broker, or to all."""
        everyone = list(range(len(kafka.nodes)))
        return self._random.choice([everyone, [self._random.choice(everyone)]])

    def _paused(self, kafka: KafkaCluster, meanwhile: Callable[[], None]) -> None:
        with paused(self._node(kafka)):
            meanwhile()

    def _stop_a_consumer(self) -> None:
        time.sleep(self._random.uniform(0, SHORT_PAUSE_S))
        running = [one for one in self._parts.consumers if one.process and one.process.poll() is None]
        victim = self._random.choice(running)
        process = victim.process
        assert process is not None
        began_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        took_s = time.monotonic() - began_s
        say(f"{victim.name} ended {took_s:.1f} s after SIGTERM")
        self.longest_stop_s = max(self.longest_stop_s, took_s)

    def _cut(self, kafka: KafkaCluster) -> None:
        for _ in range(CUTS):
            kafka.proxies.cut(self._some(kafka))
            time.sleep(CUT_EVERY_S)

    def _stall(self, kafka: KafkaCluster) -> None:
        """Connections stay; what is sent arrives when the stall is over, or never, where they are cut then."""
        some = self._some(kafka)
        kafka.proxies.stall(some)
        time.sleep(self._random.choice(STALLS_S))
        if self._random.random() < 0.5:
            kafka.proxies.cut(some)
        kafka.proxies.go_on()
