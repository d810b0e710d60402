"""The settings of [windows]: how the readings of a series become windows."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Literal

import msgspec

from fncast.series.step import Step
from interceptor.assembly.rules import MAX_WINDOW, Rules

Aggregate = Literal["last", "mean", "sum", "min", "max", "count"]
Rate = Literal["auto", "off"]

MAX_EVERY = 10_000
MAX_SERIES = 10_000_000
MAX_SECONDS = 1_000_000_000.0
AUTO = "auto"

_SHORT_STEP = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ms|s|m|h|d)\Z", flags=re.ASCII)
# Steps are calculated as decimal numbers: with floats, 9 times 0.001 is not 0.009.
_UNITS_S: dict[str, Decimal | int] = {"ms": Decimal("0.001"), "s": 1, "m": 60, "h": 3_600, "d": 86_400}


class WindowSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How readings become windows. `[[inputs]]` overrides each setting for its topic, so InputSettings has all fields.

    step: time between two readings of a series; auto finds it for each series. aggregate: what becomes of several
    readings in one step. rate: auto turns cumulative counters into rates, off keeps their values. grace_s: how long a
    step stays open for late readings. every: forecast each n-th step. max_series: further series of an input partition
    are rejected. window: number of readings in a window. min_readings: a series with fewer readings in its window
    waits; 0 for 8, as the base model needs, or half of a window that is shorter than 16. min, max: bounds of the
    values, for the forecast.
    """

    step: str = AUTO
    aggregate: Aggregate = "last"
    rate: Rate = "auto"
    grace_s: float = 10.0
    every: int = 1
    max_series: int = 200_000
    window: int = 48
    min_readings: int = 0
    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        parse_step(self.step)
        if not 0 <= self.grace_s < MAX_SECONDS:
            raise ValueError(f"grace_s must be at least 0, and below {MAX_SECONDS:,.0f}")
        for name, most in (("every", MAX_EVERY), ("max_series", MAX_SERIES)):
            if not 1 <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be from 1 to {most:,}")
        if not 2 <= self.window <= MAX_WINDOW:
            raise ValueError(f"window must be from 2 to {MAX_WINDOW:,} readings")
        if not 0 <= self.min_readings <= self.window:
            raise ValueError(f"min_readings must be from 0 to the window's {self.window:,} readings")
        for name in ("min", "max"):
            if (bound := getattr(self, name)) is not None and not math.isfinite(bound):
                raise ValueError(f"{name} must be a finite number")
        if self.min is not None and self.max is not None and self.min >= self.max:
            raise ValueError(f"min {self.min:g} is not below max {self.max:g}")

    def rules(
        self,
        include: tuple[str, ...] = (),
        exclude: tuple[str, ...] = (),
        counters: tuple[str, ...] = (),
        unit: str = "",
    ) -> Rules:
        """The assembler's rules. Raises ValueError that begins with the name of a setting."""
        return Rules(
            window=self.window,
            minimum=self.min_readings or None,
            step=parse_step(self.step),
            aggregate=self.aggregate,
            rate=self.rate,
            grace_ns=round(self.grace_s * 1e9),
            every=self.every,
            max_series=self.max_series,
            include=include,
            exclude=exclude,
            counters=counters,
            unit=unit,
            low=self.min,
            high=self.max,
        )


def parse_step(text: str) -> Step | None:
    """The step of "60s", "5m", "PT1H" or "P1M"; None for "auto". Raises ValueError."""
    if text == AUTO:
        return None
    try:
        if short := _SHORT_STEP.match(text):
            return Step.seconds(float(Decimal(short[1]) * _UNITS_S[short[2]]))
        return Step.parse(text)
    except ValueError:
        raise ValueError(f"step {text[:40]!r} is not a step: write auto, 60s, 5m, 1h, PT1H or P1M") from None
