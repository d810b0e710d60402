"""The faults of a run and their order: from a seed, or as given on the command line."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator, Sequence

from broker_faults import CLUSTER_FAULTS, BrokerFaults
from progress import Progress
from supervised_process import GONE_S, log_line
from system import System

# Ten faults that count as kills. `freeze` is a SIGSTOP that outlasts the consumer's session.
DECK = (
    "consumer",
    "consumer",
    "consumer",
    "freeze",
    "function",
    "function",
    "host",
    "model",
    "model",
    "gone",
)
TROUBLES = ("away", "storm")  # added to each deck; not counted as kills
CLUSTER_DECK = (
    *("consumer", "consumer", "gone", "freeze"),
    *("function", "host", "model"),
    *("broker", "broker-kill", "broker-kill"),
)
CLUSTER_TROUBLES = (
    *TROUBLES,
    *("cut", "cut", "cut", "stall", "stall"),
    *("pause", "stop-paused"),
)
PROXY_FAULTS = ("cut", "stall")
KINDS = tuple(dict.fromkeys((*DECK, *TROUBLES, *CLUSTER_DECK, *CLUSTER_TROUBLES, *CLUSTER_FAULTS)))
TIMED = ("consumer", "gone", "freeze")  # followed by a measurement until each partition has output again
ALONE = (*TIMED, *TROUBLES, *CLUSTER_FAULTS)  # not during another fault
AWAY_S = STORM_S = 15.0
STORM_STEP_S = 2.5  # between a join and a leave of the additional consumer
JOIN_S = 30.0  # the longest wait for a join; a consumer that leaves before it joined would revoke nothing
JOINED = "assigned"  # text in the log of a consumer that has joined


def schedule(kills: int, rng: random.Random, *, is_cluster: bool) -> Iterator[str]:
    """Yield shuffled decks until they hold `kills` kills. On a cluster, all brokers are restarted first."""
    counted = CLUSTER_DECK if is_cluster else DECK
    if is_cluster:
        yield "roll"
    while kills > 0:
        deck = [*counted, *(CLUSTER_TROUBLES if is_cluster else TROUBLES)]
        rng.shuffle(deck)
        for kind in deck:
            kills -= kind in counted
            yield kind


class FaultInjector:
    """Injects one fault after the other. The next fault waits until about `spacing` more inputs are settled.

    After a fault of a consumer it also waits until every partition has output again.
    """

    def __init__(
        self,
        kinds: Sequence[str],
        spacing: int,
        system: System,
        brokers: BrokerFaults,
        progress: Progress,
        rng: random.Random,
    ) -> None:
        self._left = list(kinds)
        self._all = len(kinds)
        self._spacing = spacing
        self._system, self._brokers, self._progress, self._random = system, brokers, progress, rng
        self._next_at = spacing
        self._trouble_until_s = self._storm_step_at_s = 0.0
        self.kills = self.proxy_faults = 0

    @property
    def is_finished(self) -> bool:
        """Whether no fault is left, and the effects of the last one are over."""
        return not self._left and self._progress.settled >= self._next_at and not self._is_trouble()

    def _is_trouble(self) -> bool:
        is_recent = time.monotonic() < self._trouble_until_s
        return is_recent or bool(self._storm_step_at_s) or self._system.are_frozen or self._brokers.is_active

    def stop(self) -> None:
        """Inject no more faults."""
        self._left.clear()

    def advance(self, produced: int) -> None:
        """Inject the next fault if it is due. produced: inputs so far, for the log."""
        self._storm()
        is_watched = self._progress.flow_s is not None
        if not self._left or self._progress.settled < self._next_at or is_watched:
            return
        kind = self._left[0]
        if self._is_trouble() and kind in ALONE:
            return  # the measured time would include the other fault
        self._left.pop(0)
        log_line(
            f"{self._all - len(self._left)}/{self._all} at {self._progress.settled} of {produced}: {kind}"
        )
        self.kills += kind in (*DECK, *CLUSTER_DECK)
        self.proxy_faults += kind in PROXY_FAULTS
        self._inject(kind)
        if kind in TIMED:
            self._progress.watch(kind)
        self._next_at = self._progress.settled + self._random.randint(
            self._spacing // 2, self._spacing * 3 // 2
        )

    def _inject(self, kind: str) -> None:
        system = self._system
        if kind == "consumer":
            self._random.choice(system.consumers).kill()
        elif kind == "gone":
            self._random.choice(system.consumers).kill(GONE_S)
        elif kind == "freeze":
            self._random.choice(system.consumers).signal(signal.SIGSTOP)
        elif kind == "function":
            self._random.choice(system.hosts).kill_a_child(self._random)
        elif kind == "host":
            self._random.choice(system.hosts).kill()
        elif kind == "model":
            self._random.choice(system.model_services).kill()
        elif kind in CLUSTER_FAULTS:
            self._brokers.inject(kind)
        elif kind == "away":
            for host in system.hosts:
                host.kill(AWAY_S)
            self._trouble_until_s = time.monotonic() + AWAY_S
        else:
            self._trouble_until_s = time.monotonic() + STORM_S
            self._storm_step_at_s = time.monotonic()

    def _storm(self) -> None:
        """Let one more consumer join and leave until the storm is over."""
        now_s = time.monotonic()
        if not self._storm_step_at_s or now_s < self._storm_step_at_s:
            return
        joining = self._system.joining
        is_over = now_s >= self._trouble_until_s
        if joining.process is not None and joining.process.poll() is None:
            if not joining.has_logged(JOINED) and now_s < self._storm_step_at_s + JOIN_S:
                return
            joining.end()
        elif not is_over:
            joining.start()
        self._storm_step_at_s = 0.0 if is_over else now_s + STORM_STEP_S
