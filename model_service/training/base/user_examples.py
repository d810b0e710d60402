"""Draws training examples for the base model from a user's series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fncast.series.window import MAX_MAGNITUDE, MAX_MISSING_SHARE, MIN_HISTORY, Float64Array
from model_service.training.base.examples import BoolArray, Examples, scaled
from model_service.training.base.shape import Size
from model_service.training.dataset import TooLittleData, usual_change

# The share of windows that hold only as many readings as the user wants a window to have.
LIMITED_SHARE = 0.5
# The share of windows in which readings are left out, so that the model stays good with gaps.
GAPPY_SHARE = 0.3


class UserExamples:
    """The windows of parts of series that the model service would accept: with gaps, and with short histories.

    unused: indices of the parts without such a window. with_gaps: windows with missing readings after the first.
    """

    def __init__(self, parts: Sequence[Float64Array], size: Size, window: int, horizon: int) -> None:
        """parts: consecutive readings of one series each, (n,), NaN if missing. window: readings that the user wants.

        Raises TooLittleData.
        """
        self._size, self._horizon = size, horizon
        self._kept = min(window, size.window)
        self._views: list[Float64Array] = []
        self._starts: list[NDArray[np.int64]] = []
        self.unused: list[int] = []
        self.with_gaps = 0
        usual = []
        for position, part in enumerate(parts):
            padded = np.concatenate([np.full(size.window - MIN_HISTORY, np.nan), part])
            starts, with_gaps = _usable(padded, size.window, horizon)
            if not len(starts):
                self.unused.append(position)
                continue
            self.with_gaps += with_gaps
            self._views.append(sliding_window_view(padded, size.window + horizon))
            self._starts.append(starts)
            usual.append(usual_change(part, horizon))
        if not self._views:
            raise TooLittleData(
                f"no {MIN_HISTORY} readings with {horizon} to forecast can be used in any series"
            )
        self._usual = np.array(usual)

    def __len__(self) -> int:
        return sum(len(starts) for starts in self._starts)

    def draw(self, rng: np.random.Generator, count: int, gaps: BoolArray) -> Examples:
        """`count` random windows, (count, size.window), and what follows them, (count, horizon).

        gaps: (masks, size.window), as `draw_gaps`. Series are weighted by the root of their length.
        """
        weights = np.sqrt([len(starts) for starts in self._starts])
        per_series = rng.multinomial(count, weights / weights.sum())
        rows = np.concatenate(
            [
                view[rng.choice(starts, size=number)]
                for view, starts, number in zip(self._views, self._starts, per_series, strict=True)
                if number
            ]
        )
        order = rng.permutation(count)
        windows, targets = rows[order, : self._size.window], rows[order, self._size.window :]
        gone = np.zeros(windows.shape, dtype=bool)
        gone[rng.random(count) < LIMITED_SHARE, : -self._kept] = self._kept < self._size.window
        gappy = rng.random(count) < GAPPY_SHARE
        gone[gappy] |= gaps[rng.integers(len(gaps), size=int(gappy.sum()))]
        known = ~np.isnan(windows)
        gone &= ((known & ~gone).sum(axis=1) >= MIN_HISTORY)[:, np.newaxis]
        return scaled(np.where(gone, np.nan, windows), targets, self._usual.repeat(per_series)[order])


def _usable(values: Float64Array, window: int, horizon: int) -> tuple[NDArray[np.int64], int]:
    """The starts of windows that the model service accepts and of which half of what follows is known.

    Also the number of those with gaps. values: (readings,), NaN if missing.
    """
    count = len(values) - window - horizon + 1
    if count <= 0:
        return np.empty(0, dtype=np.int64), 0
    known = ~np.isnan(values)
    before = np.concatenate(([0], np.cumsum(known)))
    large = np.concatenate(([0], np.cumsum(np.abs(np.nan_to_num(values)) > MAX_MAGNITUDE)))
    start = np.arange(count)
    end = start + window
    at = np.flatnonzero(known)
    # The first known reading from each start on.
    following = np.append(at, len(values))[np.searchsorted(at, start)]
    history = before[end] - before[start]
    length = np.maximum(end - following, 0)
    gaps = length - history
    fits = (history >= MIN_HISTORY) & (gaps <= MAX_MISSING_SHARE * length)
    fits &= before[end + horizon] - before[end] >= 0.5 * horizon
    fits &= large[end + horizon] == large[start]
    return start[fits], int((gaps[fits] > 0).sum())
