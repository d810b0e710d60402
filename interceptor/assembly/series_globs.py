"""Globs for names of series: which series are assembled, and which are counters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate

from interceptor.readings.contract import MetricKind, Series


class Selection:
    """Which series are assembled: those that match `include`, or all if it is empty, and do not match `exclude`."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include, self._exclude = _pattern(include), _pattern(exclude)

    def takes(self, name: str) -> bool:
        """Whether the series with this name is assembled."""
        if self._include is not None and not self._include.match(name):
            return False
        return self._exclude is None or not self._exclude.match(name)


class Counters:
    """Series that are cumulative counters by their names."""

    def __init__(self, globs: Sequence[str]) -> None:
        self._pattern = _pattern(globs)

    def marked(self, series: Series) -> Series:
        """Return the series, as a counter if its name is one of a counter."""
        if self._pattern is None or not self._pattern.match(series.name):
            return series
        return series._replace(kind=MetricKind.CUMULATIVE)


def _pattern(globs: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(translate(glob) for glob in globs)) if globs else None
