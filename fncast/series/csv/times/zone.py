"""Converts local times of a time zone to UTC, with hours that occur twice or do not exist."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S = 86_400
_MAX_OFFSET_S = 2 * _DAY_S


def find_zone(name: str) -> ZoneInfo:
    """The time zone of that name. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ValueError(
            f"{name!r} is not a time zone such as Europe/Berlin; on a system without time zones install tzdata"
        ) from None


class LocalClock:
    """The offset changes of a time zone between two local times."""

    def __init__(self, zone: tzinfo, first_s: float, last_s: float) -> None:
        """first_s, last_s: the first and the last local time, in seconds since 1970 of local time."""
        self._zone = zone
        begin, end = first_s - _MAX_OFFSET_S, last_s + _MAX_OFFSET_S
        self._first_offset = self._offset(begin)
        self.changes: list[tuple[float, float, float]] = []  # moment in UTC, offset before, offset after
        before_s, before = begin, self._first_offset
        at_s = begin
        while at_s < end:
            at_s += _DAY_S
            offset = self._offset(at_s)
            if offset != before:
                self.changes.append((self._change(before_s, at_s, before), before, offset))
            before_s, before = at_s, offset

    def to_utc(self, local_s: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Seconds since 1970 UTC, and a mask of the local times that do not exist.

        local_s: (readings,) the local times of one series in the order of its lines. In an hour that occurs twice,
        times belong to the first pass until they go back or repeat. Times in a skipped hour get the offset before the
        change.
        """
        offsets = np.full(len(local_s), self._first_offset)
        skipped = np.zeros(len(local_s), dtype=np.bool_)
        is_falling = len(local_s) > 1 and float(np.median(np.diff(local_s))) < 0
        for moment_s, before, after in self.changes:
            low, high = sorted((moment_s + before, moment_s + after))
            offsets[local_s >= high] = after
            within = np.flatnonzero((local_s >= low) & (local_s < high))
            if after > before:
                skipped[within] = True
            elif len(within):
                in_order = within[::-1] if is_falling else within
                is_second = _second_pass(local_s[in_order])
                offsets[in_order] = np.where(is_second, after, before)
        return local_s - offsets, skipped

    def _offset(self, utc_s: float) -> float:
        try:
            moment = _EPOCH + timedelta(seconds=utc_s)
            offset = moment.astimezone(self._zone).utcoffset()
        except OverflowError:
            return 0.0
        return offset.total_seconds() if offset is not None else 0.0

    def _change(self, low: float, high: float, before: float) -> float:
        """The second of the offset change between two moments, by bisection."""
        low, high = np.floor(low), np.ceil(high)
        while high - low > 1:
            middle = (low + high) // 2
            if self._offset(middle) == before:
                low = middle
            else:
                high = middle
        return float(high)


def _second_pass(local_s: Floats) -> NDArray[np.bool_]:
    """A mask of the times in the second pass of an hour that occurs twice. local_s: in chronological order."""
    second = np.zeros(len(local_s), dtype=np.bool_)
    back = np.flatnonzero(np.diff(local_s) < 0)
    if len(back) == 1:  # the times go back once: the second pass begins there
        second[back[0] + 1 :] = True
        return second
    seen: set[float] = set()  # a repeated time belongs to the second pass
    for at, time in enumerate(local_s.tolist()):
        second[at] = time in seen
        seen.add(time)
    return second
