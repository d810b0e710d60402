"""How good the forecasts are, as the monitor reports it: one row for each series and model."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from fncast.dashboard.events.event import ReceivedEvent
from fncast.dashboard.events.fields import UnreadableData, finite_number
from fncast.dashboard.events.forecast import model_name
from fncast.dashboard.events.names import shown_name

ACCURACY_TYPE = "io.fncast.accuracy.v1"
# Rows to keep. Beyond it, the row that was reported least recently is dropped.
MAX_ROWS = 2000
# Rows to show: the worst.
SHOWN_ROWS = 50
# The monitor may report several times a second. A person reads more slowly.
SEND_S = 1.0

FIGURES = ("mae", "skill", "seasonal_skill", "coverage")


class AccuracyTable:
    """The newest report of each series and model."""

    def __init__(self) -> None:
        self._rows: OrderedDict[tuple[str, str], dict[str, Any]] = OrderedDict()
        self._changed = False
        self._sent_s = 0.0

    def add(self, event: ReceivedEvent) -> None:
        """Add a report. Raises UnreadableData."""
        data = event.data
        day = data.get("day") if isinstance(data, dict) else None
        if not isinstance(day, dict):
            raise UnreadableData("an accuracy event has no figures of the last day")
        series, model = shown_name(event.subject), model_name(event)
        self._rows[series, model] = {
            "series": series,
            "model": model,
            "steps": finite_number(data.get("readings")),
            **{name: finite_number(day.get(name)) for name in FIGURES},
        }
        self._rows.move_to_end((series, model))
        if len(self._rows) > MAX_ROWS:
            self._rows.popitem(last=False)
        self._changed = True

    def snapshot(self) -> dict[str, Any]:
        """The worst rows: those whose error is the largest compared with the last value's. Constant series are last."""
        rows = sorted(self._rows.values(), key=_worst_first)
        return {"rows": rows[:SHOWN_ROWS], "left_out": max(0, len(rows) - SHOWN_ROWS)}

    def take_changes(self, now_s: float) -> dict[str, Any] | None:
        """A snapshot if something changed since the last call, at most every SEND_S; else None.

        now_s: seconds since 1970. It may be set back.
        """
        if not self._changed or self._sent_s <= now_s < self._sent_s + SEND_S:
            return None
        self._changed, self._sent_s = False, now_s
        return self.snapshot()


def _worst_first(row: dict[str, Any]) -> tuple[bool, float, str, str]:
    skill = row["skill"]
    return skill is None, skill or 0.0, row["series"], row["model"]
