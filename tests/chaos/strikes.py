"""The faults of a run and their order: from a seed, or as given on the command line."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator, Sequence

from brokers import CLUSTER, Brokers
from parts import Parts
from progress import Progress
from victim import GONE_S, say

# Ten kills; of the consumer's, one is a SIGSTOP past its session.
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
TROUBLES = ("away", "storm")  # one of each for ten kills, not counted as such
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
KINDS = tuple(dict.fromkeys((*DECK, *TROUBLES, *CLUSTER_DECK, *CLUSTER_TROUBLES, *CLUSTER)))
TIMED = ("consumer", "gone", "freeze")  # until each partition flows again
ALONE = (*TIMED, *TROUBLES, *CLUSTER)  # not while another trouble lasts
AWAY_S = STORM_S = 15.0
STORM_TURN_S = 2.5  # one more consumer joins, or leaves
JOIN_S = 30.0  # on a busy machine it has not joined after a turn: without it nothing is revoked
JOINED = "assigned"  # in its log


def schedule(kills: int, randomly: random.Random, *, is_cluster: bool) -> Iterator[str]:
    """Deck after deck, each shuffled, until there are so many kills. On a cluster all brokers are rolled once."""
    counted = CLUSTER_DECK if is_cluster else DECK
    if is_cluster:
        yield "roll"
    while kills > 0:
        deck = [*counted, *(CLUSTER_TROUBLES if is_cluster else TROUBLES)]
        randomly.shuffle(deck)
        for kind in deck:
            kills -= kind in counted
            yield kind


class Strikes:
    """Strikes one after another, each when so many inputs more are settled; made slower by what must be seen first:
    after the kill of a consumer, that every partition flows again."""

    def __init__(
        self,
        kinds: Sequence[str],
        spacing: int,
        parts: Parts,
        brokers: Brokers,
        progress: Progress,
        randomly: random.Random,
    ) -> None:
        self._left = list(kinds)
        self._all = len(kinds)
        self._spacing = spacing
        self._parts, self._brokers, self._progress, self._random = parts, brokers, progress, randomly
        self._next_at = spacing
        self._trouble_until_s = self._storm_turn_at_s = 0.0
        self.kills = self.proxy_faults = 0

    @property
    def are_over(self) -> bool:
        return not self._left and self._progress.settled >= self._next_at and not self._is_trouble()

    def _is_trouble(self) -> bool:
        is_recent = time.monotonic() < self._trouble_until_s
        return is_recent or bool(self._storm_turn_at_s) or self._parts.are_frozen or self._brokers.is_striking

    def stop(self) -> None:
        """No more of them."""
        self._left.clear()

    def turn(self, produced: int) -> None:
        self._storm()
        is_watched = self._progress.flow_s is not None
        if not self._left or self._progress.settled < self._next_at or is_watched:
            return
        kind = self._left[0]
        if self._is_trouble() and kind in ALONE:
            return  # how long it takes to flow again would be the other trouble's
        self._left.pop(0)
        say(f"{self._all - len(self._left)}/{self._all} at {self._progress.settled} of {produced}: {kind}")
        self.kills += kind in (*DECK, *CLUSTER_DECK)
        self.proxy_faults += kind in PROXY_FAULTS
        self._strike(kind)
        if kind in TIMED:
            self._progress.watch(kind)
        self._next_at = self._progress.settled + self._random.randint(
            self._spacing // 2, self._spacing * 3 // 2
        )

    def _strike(self, kind: str) -> None:
        parts = self._parts
        if kind == "consumer":
            self._random.choice(parts.consumers).kill()
        elif kind == "gone":
            self._random.choice(parts.consumers).kill(GONE_S)
        elif kind == "freeze":
            self._random.choice(parts.consumers).signal(signal.SIGSTOP)
        elif kind == "function":
            self._random.choice(parts.hosts).kill_a_child(self._random)
        elif kind == "host":
            self._random.choice(parts.hosts).kill()
        elif kind == "model":
            self._random.choice(parts.model_services).kill()
        elif kind in CLUSTER:
            self._brokers.strike(kind)
        elif kind == "away":
            for host in parts.hosts:
                host.kill(AWAY_S)
            self._trouble_until_s = time.monotonic() + AWAY_S
        else:
            self._trouble_until_s = time.monotonic() + STORM_S
            self._storm_turn_at_s = time.monotonic()

    def _storm(self) -> None:
        """One more consumer joins and leaves, until the storm is over."""
        now_s = time.monotonic()
        if not self._storm_turn_at_s or now_s < self._storm_turn_at_s:
            return
        joining = self._parts.joining
        is_over = now_s >= self._trouble_until_s
        if joining.process is not None and joining.process.poll() is None:
            if not joining.has_logged(JOINED) and now_s < self._storm_turn_at_s + JOIN_S:
                return
            joining.end()
        elif not is_over:
            joining.start()
        self._storm_turn_at_s = 0.0 if is_over else now_s + STORM_TURN_S
