"""The rules by which the readings of one input topic are assembled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from fncast.series.step import Step
from fncast.series.window import MIN_HISTORY
from interceptor.assembly.grid import period_ns

AGGREGATES = ("last", "mean", "sum", "min", "max", "count")
RATES = ("auto", "off")
MAX_WINDOW = 1024  # steps
_MAX_SPAN_NS = 1500 * 366 * 86_400 * 1_000_000_000  # a window's start must be a time that RFC 3339 can name
_NS = 1_000_000_000
_MICROSECOND_NS = 1_000
_MAX_MONTH_NS = 31 * 86_400 * _NS


@dataclass(frozen=True)
class Rules:
    """How the readings of one input topic become windows.

    window: steps that are kept and sent. minimum: present readings that a forecast needs; None for MIN_HISTORY, as the
    base model needs, or half of a short window. step: None to find it from the readings. aggregate: how the readings of
    one step become its value. With "last" a step is complete with its first reading; with the others once it is over.
    rate: "auto" turns cumulative counters into rates per second, "off" keeps their values. grace_ns: how long a step
    stays open for late readings. every: forecast each n-th step. max_series: per input partition. include, exclude:
    globs for names of series. counters: globs for series that are cumulative counters, where the format does not say
    so. unit: replaces the unit of the readings. low, high: limits of the forecast, None for none.
    Raises ValueError with the name of the wrong setting.
    """

    window: int = 48
    minimum: int | None = None
    step: Step | None = None
    aggregate: str = "last"
    rate: str = "auto"
    grace_ns: int = 10 * _NS
    every: int = 1
    max_series: int = 200_000
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()
    unit: str = ""
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if not 2 <= self.window <= MAX_WINDOW:
            raise ValueError(f"window = {self.window} is not between 2 and {MAX_WINDOW} steps")
        if self.minimum is not None and not 1 <= self.minimum <= self.window:
            raise ValueError(f"min_readings = {self.minimum} is not between 1 and the window, {self.window}")
        if self.aggregate not in AGGREGATES:
            raise ValueError(f"aggregate = {self.aggregate!r} is unknown: use one of {', '.join(AGGREGATES)}")
        if self.aggregate != "last" and self.step is None:
            raise ValueError(
                f'aggregate = {self.aggregate!r} needs a step: set step, such as "60s" or "PT1H"'
            )
        if self.rate not in RATES:
            raise ValueError(f"rate = {self.rate!r} is unknown: use one of {', '.join(RATES)}")
        if self.grace_ns < 0 or self.every < 1 or self.max_series < 1:
            raise ValueError("grace_s must not be negative; every and max_series must be at least 1")
        step = self.step
        if step and step.period_s and (self.step_ns < _MICROSECOND_NS or self.step_ns % _MICROSECOND_NS):
            raise ValueError("step must be a whole number of microseconds")
        if self.step is not None and not self.has_span(self.step):
            raise ValueError(f"a window of {self.window} steps of {self.step} is longer than 1500 years")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("min is above max")

    @cached_property
    def needed(self) -> int:
        """The present readings that a forecast needs."""
        return min(MIN_HISTORY, self.window // 2) if self.minimum is None else self.minimum

    @cached_property
    def is_aggregated(self) -> bool:
        """Whether a step has the aggregate of its readings, and is complete once it is over."""
        return self.aggregate != "last"

    @property
    def step_ns(self) -> int:
        """The step in nanoseconds; 0 for a calendar step and for one that is found."""
        return 0 if self.step is None else period_ns(self.step)

    def has_span(self, step: Step) -> bool:
        """Whether a window of such steps begins at a time that an event can name."""
        return self.window * length_ns(step) <= _MAX_SPAN_NS

    def shape(self) -> str:
        """What the state depends on: windows that were stored under another shape cannot be continued."""
        counters = f" counters={self.counters}" if self.counters else ""
        return f"window={self.window} step={self.step} aggregate={self.aggregate} rate={self.rate}{counters}"


def length_ns(step: Step) -> int:
    """The step's length; for a calendar step the longest that it can be."""
    return period_ns(step) or (step.months or 1) * _MAX_MONTH_NS
