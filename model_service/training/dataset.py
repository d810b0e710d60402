"""Training windows: splits series in time and draws windows, each with its own scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fncast.series.window import MAX_MAGNITUDE, MAX_MISSING_SHARE, Float32Array, Float64Array, bridge

# Targets are clipped to this many mean absolute deviations of their window, to limit the influence of bursts.
MAX_SCALED_TARGET = 10.0
# Limits of the weight of a window. The weight expresses errors in units of the series, as the quality measures do. The
# limits keep quiet windows from having no weight, and bursts from dominating.
MIN_WEIGHT, MAX_WEIGHT = 0.1, 3.0


class TooLittleData(ValueError):
    """The series are too short, or have too many gaps, for windows of this length."""


@dataclass(frozen=True)
class Split:
    """The parts of a series, as indices of its readings: [0, train), [train, validation), [validation, end)."""

    train: int
    validation: int


def split(length: int, test_share: float, validation_share: float) -> Split:
    """Split in time: the last `test_share` is for testing; the last `validation_share` of the rest for validation.

    length: of the series, in readings.
    """
    validation = length - int(length * test_share)
    return Split(train=validation - int(validation * validation_share), validation=validation)


@dataclass(frozen=True)
class TrainingWindows:
    """Scaled windows with their targets.

    windows: (count, window) float32. targets: (count, horizon) float32, NaN if missing. Both are relative to the last
    reading of the window and divided by its mean absolute deviation. weights: (count,) float32, the deviation of the
    window in units of the usual change of its series, within limits.
    """

    windows: Float32Array
    targets: Float32Array
    weights: Float32Array


class Dataset:
    """The usable windows of parts of series.

    bridged: number of windows with bridged gaps. unused: indices of the parts without a usable window.
    """

    def __init__(self, parts: Sequence[Float64Array], window: int, horizon: int) -> None:
        """parts: consecutive readings of one series each, (n,), NaN if missing. No window crosses the end of its part.

        Raises TooLittleData.
        """
        self.window, self.horizon = window, horizon
        self._views: list[Float64Array] = []
        self._starts: list[NDArray[np.int64]] = []
        self.bridged = 0
        self.unused: list[int] = []
        changes = []
        rejected: Counter[str] = Counter()
        for position, part in enumerate(parts):
            if len(part) < window + horizon:
                self.unused.append(position)
                continue
            starts, bridged = _usable(part, window, horizon, rejected)
            if not len(starts):
                self.unused.append(position)
                continue
            self.bridged += bridged
            self._views.append(sliding_window_view(part, window + horizon))
            self._starts.append(starts)
            changes.append(usual_change(part, horizon))
        if not self._views:
            if rejected:
                reasons = ", ".join(f"{count} {reason}" for reason, count in rejected.most_common())
                raise TooLittleData(f"no window of {window} readings can be used: {reasons}")
            longest = max((len(part) for part in parts), default=0)
            raise TooLittleData(
                f"no window of {window} readings with {horizon} to forecast fits: the longest part has {longest}"
            )
        self._changes = np.array(changes)

    def __len__(self) -> int:
        return sum(len(starts) for starts in self._starts)

    def draw(self, rng: np.random.Generator, count: int) -> TrainingWindows:
        """`count` random windows.

        Series are weighted by the root of their length, so that long ones do not dominate.
        """
        weights = np.sqrt([len(starts) for starts in self._starts])
        per_series = rng.multinomial(count, weights / weights.sum())
        rows = [
            view[rng.choice(starts, size=number)]
            for view, starts, number in zip(self._views, self._starts, per_series, strict=True)
            if number
        ]
        order = rng.permutation(count)
        return self._scaled(np.concatenate(rows)[order], self._changes.repeat(per_series)[order])

    def spread(self, most: int) -> TrainingWindows:
        """Every n-th window of each series, where n is the number of all windows over `most`, rounded down, at least 1.

        So there are at most twice `most` windows, and one more for each series.
        """
        stride = max(1, len(self) // most)
        rows = [view[starts[::stride]] for view, starts in zip(self._views, self._starts, strict=True)]
        changes = self._changes.repeat([len(some) for some in rows])
        return self._scaled(np.concatenate(rows), changes)

    def _scaled(self, rows: Float64Array, changes: Float64Array) -> TrainingWindows:
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
        weights = np.clip(scale[:, 0] / changes, MIN_WEIGHT, MAX_WEIGHT)
        return TrainingWindows(*(part.astype(np.float32) for part in (centred / scale, clipped, weights)))


def usual_change(part: Float64Array, horizon: int) -> float:
    """The mean absolute change over half a horizon (in steps). part: (readings,). Returns 1 for a constant series."""
    ahead = max(1, horizon // 2)
    changes = np.abs(part[ahead:] - part[:-ahead])
    known = changes[~np.isnan(changes)]
    usual = float(known.mean()) if len(known) else 0.0
    return usual if usual > 0 else 1.0


def _usable(
    part: Float64Array, window: int, horizon: int, rejected: Counter[str]
) -> tuple[NDArray[np.int64], int]:
    """The starts of usable windows: accepted in serving, not constant, and with at least half of their targets.

    Also the number of those with gaps. Counts the other windows in `rejected`, by reason. part: (readings,), NaN if
    missing. Needs memory in proportion to the readings, because a copy of all windows would not fit.
    """
    count = len(part) - window - horizon + 1
    missing = np.isnan(part)
    before = np.concatenate(([0], np.cumsum(missing)))
    gaps = before[window : window + count] - before[:count]
    unknown = before[window + horizon :] - before[window : window + count]
    bridgeable = gaps <= MAX_MISSING_SHARE * window
    known = unknown <= 0.5 * horizon
    highest = _sliding_maximum(np.where(missing, -np.inf, part), window)[:count]
    lowest = -_sliding_maximum(np.where(missing, -np.inf, -part), window)[:count]
    size = np.maximum(highest, -lowest)
    # Changes within the rounding error of float64 count as constant.
    moves = highest - lowest > 1e-12 * size
    fits = size <= MAX_MAGNITUDE
    reasons = {
        "with more readings missing than may be bridged": ~bridgeable,
        "without half of what follows them": bridgeable & ~known,
        "of readings too large": bridgeable & known & ~fits,
        "that are constant": bridgeable & known & fits & ~moves,
    }
    rejected.update({reason: int(those.sum()) for reason, those in reasons.items() if those.any()})
    starts = np.flatnonzero(bridgeable & known & moves & fits)
    return starts, int((gaps[starts] > 0).sum())


def _sliding_maximum(values: Float64Array, length: int) -> Float64Array:
    """The maximum of each `length` successive values: (values - length + 1,).

    Source: van Herk 1992. The maximum of a window is that of the end of one block and of the start of the next.
    """
    padding = -len(values) % length
    blocks = np.concatenate([values, np.full(padding, -np.inf)]).reshape(-1, length)
    until = np.maximum.accumulate(blocks, axis=1).ravel()
    onwards = np.maximum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
    windows = len(values) - length + 1
    return np.maximum(onwards[:windows], until[length - 1 : length - 1 + windows])
