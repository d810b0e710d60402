"""Settings of `fncast monitor`: anomalies, accuracy, and alerts before a threshold is crossed."""

from __future__ import annotations

import math

import msgspec

from consumer.settings.values import check_topic_name
from consumer.settings.windows import parse_step
from fncast.series.step import Step

MAX_HISTORY = 1_000_000
MAX_FOR_STEPS = 10_000
# The rule of the alerts that `worse_than_last_for` opens.
WORSE_THAN_LAST = "worse-than-last-value"


class MonitorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Accuracy and anomalies.

    alpha: share of the readings of a normal series that may count as anomalies. min_history: readings of a series
    before its first anomaly. include, exclude: globs of the series whose anomalies and bad forecasts are reported.
    destination: of these events; empty for none. accuracy_every: the longest time between two accuracy events of a
    series, by its readings. silent_steps: a series is silent after this many steps without a reading; 0 for never.
    worse_than_last_for: an alert opens once a model was worse than the last value for this many readings; 0 for never.
    """

    group_id: str = "fncast-monitor"
    accuracy_topic: str = "accuracy"
    alerts_topic: str = "alerts"
    alpha: float = 0.001
    min_history: int = 500
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    accuracy_every: str = "1h"
    destination: str = ""
    silent_steps: int = 10
    worse_than_last_for: int = 0

    def __post_init__(self) -> None:
        for name in ("group_id", "accuracy_topic", "alerts_topic"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty")
        check_topic_name("accuracy_topic", self.accuracy_topic)
        check_topic_name("alerts_topic", self.alerts_topic)
        if self.accuracy_topic == self.alerts_topic:
            raise ValueError("accuracy_topic and alerts_topic must be different topics")
        if not 0 < self.alpha < 1:
            raise ValueError("alpha must be between 0 and 1")
        if not 0 <= self.min_history <= MAX_HISTORY:
            raise ValueError(f"min_history must be from 0 to {MAX_HISTORY:,}")
        if not 0 <= self.silent_steps <= MAX_HISTORY:
            raise ValueError(f"silent_steps must be from 0 to {MAX_HISTORY:,}")
        if not 0 <= self.worse_than_last_for <= MAX_HISTORY:
            raise ValueError(f"worse_than_last_for must be from 0 to {MAX_HISTORY:,}")
        _seconds("accuracy_every", self.accuracy_every)

    @property
    def accuracy_every_s(self) -> float:
        """`accuracy_every` in seconds."""
        return _seconds("accuracy_every", self.accuracy_every)


class AlertSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alert before a threshold is crossed.

    series: glob. above, below: the threshold; exactly one of them. within: how far ahead to look, such as 6h; empty for
    the whole forecast. probability: the alert opens if a crossing is at least this probable. for_steps: the fewest
    steps in a row that count as a crossing. destination: of the alert's events; empty for none.
    """

    name: str
    series: str = "*"
    above: float | None = None
    below: float | None = None
    within: str = ""
    probability: float = 0.5
    for_steps: int = 1
    destination: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("name is empty")
        if self.name == WORSE_THAN_LAST:
            raise ValueError(
                f"alert {WORSE_THAN_LAST!r}: [monitor] worse_than_last_for uses this name, choose another"
            )
        if not self.series:
            raise ValueError(f"alert {self.name[:64]!r}: series is empty, leave it out for all series")
        if (self.above is None) == (self.below is None):
            raise ValueError(f"alert {self.name[:64]!r} needs either above or below")
        threshold = self.below if self.above is None else self.above
        if threshold is None or not math.isfinite(threshold):
            raise ValueError(f"alert {self.name[:64]!r}: the threshold must be a finite number")
        if not 0 < self.probability < 1:
            raise ValueError(f"alert {self.name[:64]!r}: probability must be between 0 and 1")
        if not 1 <= self.for_steps <= MAX_FOR_STEPS:
            raise ValueError(f"alert {self.name[:64]!r}: for_steps must be from 1 to {MAX_FOR_STEPS:,}")
        if self.within:
            _seconds("within", self.within)

    @property
    def within_s(self) -> float:
        """How far ahead to look, in seconds; 0 for the whole forecast."""
        return _seconds("within", self.within) if self.within else 0.0


def _seconds(name: str, text: str) -> float:
    """The seconds of a duration such as 90s, 6h or PT1H. Raises ValueError."""
    step: Step | None
    try:
        step = parse_step(text)
    except ValueError:
        step = None
    if step is None or step.period_s is None:
        raise ValueError(f"{name} {text[:64]!r} is not a duration such as 90s, 6h or PT1H")
    return step.period_s
