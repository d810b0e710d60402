"""Training windows: the series split in time, and windows drawn from the parts, each scaled by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fncast.series.window import MAX_MAGNITUDE, MAX_MISSING_SHARE, bridge

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

# Targets are clipped there, in mean absolute deviations of their window: one burst must not steer a batch.
MAX_SCALED_TARGET = 10.0
# Errors count in units of their series, as they do in every measure of quality; the bounds keep quiet windows of a
# bursty series from counting nothing, and bursts from drowning the rest.
LEAST_WEIGHT, LARGEST_WEIGHT = 0.1, 3.0


class TooLittleData(ValueError):
    """The series are too short, or too empty, for windows of this length."""


@dataclass(frozen=True)
class Split:
    """Where a series is cut, as indices of its readings: [0, train) [train, validation) [validation, end)."""

    train: int
    validation: int


def split(length: int, test_share: float, validation_share: float) -> Split:
    """Cut in time: the last `test_share` is test, of what is before the last `validation_share` is validation."""
    validation = length - int(length * test_share)
    return Split(train=validation - int(validation * validation_share), validation=validation)


@dataclass(frozen=True)
class Windows:
    """windows: (count, window) and targets: (count, horizon), float32, each window about its last reading and
    divided by its mean absolute deviation; NaN where a target is missing. weights: (count,) float32, what an error
    of the window counts: its deviation in units of the usual change of its series, within bounds."""

    windows: Float32Array
    targets: Float32Array
    weights: Float32Array


class Dataset:
    """The windows of one part of the series, drawn by number.

    bridged: how many have gaps that are bridged. unused: positions of the parts that have no window to use."""

    def __init__(self, parts: Sequence[Float64Array], window: int, horizon: int) -> None:
        """parts: readings in a row (NaN where missing); no window reaches beyond its part.

        Raises TooLittleData."""
        self.window, self.horizon = window, horizon
        self._views: list[Float64Array] = []
        self._starts: list[NDArray[np.int64]] = []
        self.bridged = 0
        self.unused: list[int] = []
        changes = []
        refused: Counter[str] = Counter()
        for position, part in enumerate(parts):
            if len(part) < window + horizon:
                self.unused.append(position)
                continue
            view = sliding_window_view(part, window + horizon)
            starts = _usable(view, window, refused)
            if not len(starts):
                self.unused.append(position)
                continue
            self.bridged += int(np.isnan(view[starts, :window]).any(axis=1).sum())
            self._views.append(view)
            self._starts.append(starts)
            changes.append(_usual_change(part, horizon))
        if not self._views:
            if refused:
                told = ", ".join(f"{count} {reason}" for reason, count in refused.most_common())
                raise TooLittleData(f"no window of {window} readings can be used: {told}")
            longest = max((len(part) for part in parts), default=0)
            raise TooLittleData(
                f"no window of {window} readings with {horizon} to forecast fits: the longest part has {longest}"
            )

        self._changes = np.array(changes)

    def __len__(self) -> int:
        return sum(len(starts) for starts in self._starts)

    def draw(self, rng: np.random.Generator, count: int) -> Windows:
        """`count` windows; a series is drawn by the root of its length, so that long ones do not drown others."""
        weights = np.sqrt([len(starts) for starts in self._starts])
        per_series = rng.multinomial(count, weights / weights.sum())
        rows = [
            view[rng.choice(starts, size=number)]
            for view, starts, number in zip(self._views, self._starts, per_series, strict=True)
            if number
        ]
        order = rng.permutation(count)
        return self._scaled(np.concatenate(rows)[order], self._changes.repeat(per_series)[order])

    def spread(self, most: int) -> Windows:
        """Up to about `most` windows, evenly spread over every series."""
        stride = max(1, len(self) // most)
        rows = [view[starts[::stride]] for view, starts in zip(self._views, self._starts, strict=True)]
        changes = self._changes.repeat([len(some) for some in rows])
        return self._scaled(np.concatenate(rows), changes)

    def _scaled(self, rows: Float64Array, changes: Float64Array) -> Windows:
        windows, targets = rows[:, : self.window], rows[:, self.window :]
        gaps = np.flatnonzero(np.isnan(windows).any(axis=1))
        if len(gaps):
            windows = windows.copy()
            for row in gaps:
                windows[row], _ = bridge(windows[row])
        last = windows[:, -1:]
        centred = windows - last
        scale = np.abs(centred - centred.mean(axis=1, keepdims=True)).mean(axis=1, keepdims=True)
        clipped = np.clip((targets - last) / scale, -MAX_SCALED_TARGET, MAX_SCALED_TARGET)
        weights = np.clip(scale[:, 0] / changes, LEAST_WEIGHT, LARGEST_WEIGHT)
        return Windows(*(part.astype(np.float32) for part in (centred / scale, clipped, weights)))


def _usual_change(part: Float64Array, horizon: int) -> float:
    """The mean absolute error of the last value, half a horizon ahead; of a constant series any positive number."""
    ahead = max(1, horizon // 2)
    changes = np.abs(part[ahead:] - part[:-ahead])
    known = changes[~np.isnan(changes)]
    usual = float(known.mean()) if len(known) else 0.0
    return usual if usual > 0 else 1.0


def _usable(view: Float64Array, window: int, refused: Counter[str]) -> NDArray[np.int64]:
    """The starts of windows that serving would take, that move at all, and of whose targets half is there.

    The others are counted in `refused`, by what is wrong with them."""
    horizon = view.shape[1] - window
    missing = np.isnan(view)
    bridgeable = missing[:, :window].sum(axis=1) <= MAX_MISSING_SHARE * window
    known = missing[:, window:].sum(axis=1) <= 0.5 * horizon
    highest = np.where(missing, -np.inf, view)[:, :window].max(axis=1)
    lowest = np.where(missing, np.inf, view)[:, :window].min(axis=1)
    size = np.maximum(highest, -lowest)
    # What moves by less than float64 can tell from rounding is constant.
    moves = highest - lowest > 1e-12 * size
    fits = size <= MAX_MAGNITUDE
    reasons = {
        "with more readings missing than may be bridged": ~bridgeable,
        "without half of what follows them": bridgeable & ~known,
        "of readings too large": bridgeable & known & ~fits,
        "that are constant": bridgeable & known & fits & ~moves,
    }
    refused.update({reason: int(those.sum()) for reason, those in reasons.items() if those.any()})
    return np.flatnonzero(bridgeable & known & moves & fits)
